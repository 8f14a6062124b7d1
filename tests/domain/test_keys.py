"""Keys of an account: made, changed, rotated, revoked, and when they were used."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from threads import at_once

from given import Customer, Given
from panelry.database.pool import Conn, Pool
from panelry.domain import accounts, ids
from panelry.domain.accounts import (
    AccountSuspended,
    Caller,
    InvalidApiKey,
    InvalidLabel,
    InvalidLimit,
    IssuedKey,
    Key,
    KeyId,
    KeyMade,
    KeyNotFound,
    KeyRotated,
    digest,
)


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer()


def only_key(conn: Conn, customer: Customer) -> Key:
    [key] = accounts.keys(conn, customer.account)
    return key


def works(conn: Conn, key: str) -> bool:
    [caller] = accounts.identify(conn, [digest(key)])
    assert isinstance(caller, Caller | InvalidApiKey)
    return isinstance(caller, Caller)


def test_a_rotated_key_has_a_new_value_and_is_still_the_same_key(conn: Conn, customer: Customer) -> None:
    before = only_key(conn, customer)
    accounts.change_key(conn, customer.account, before.id, label="shop", per_minute=60)
    issued = accounts.rotate_key(conn, customer.account, before.id)
    after = only_key(conn, customer)
    assert (after.id, after.label, after.per_minute, after.created_at) == (
        before.id,
        "shop",
        60,
        before.created_at,
    )
    assert (before.rotated_at, after.prefix) == (None, issued.key[:12])
    assert after.rotated_at is not None
    assert [works(conn, key) for key in (customer.key, issued.key)] == [False, True]


def test_a_rotation_that_is_asked_for_twice_happens_once(conn: Conn, customer: Customer) -> None:
    key = only_key(conn, customer)
    issued = accounts.rotate_key(conn, customer.account, key.id, prefix=key.prefix)
    with pytest.raises(KeyRotated):
        accounts.rotate_key(conn, customer.account, key.id, prefix=key.prefix)
    assert works(conn, issued.key)


def test_a_key_that_is_asked_for_twice_is_made_once(conn: Conn, customer: Customer) -> None:
    key_id = KeyId(ids.new())
    issued = accounts.create_key(conn, customer.account, key_id=key_id)
    for _ in range(2):
        with pytest.raises(KeyMade):
            accounts.create_key(conn, customer.account, key_id=key_id)
    assert len(accounts.keys(conn, customer.account)) == 2
    assert works(conn, issued.key)


def test_the_id_of_somebody_elses_key_is_of_no_use(conn: Conn, given: Given, customer: Customer) -> None:
    theirs = only_key(conn, customer)
    other = given.customer().account
    with pytest.raises(KeyMade):
        accounts.create_key(conn, other, key_id=theirs.id)
    with pytest.raises(KeyNotFound):
        accounts.rotate_key(conn, other, theirs.id)
    with pytest.raises(KeyNotFound):
        accounts.change_key(conn, other, theirs.id, label="mine", per_minute=None)
    with pytest.raises(KeyNotFound):
        accounts.revoke_key(conn, other, theirs.id)
    assert only_key(conn, customer) == theirs
    assert theirs.id not in [key.id for key in accounts.keys(conn, other)]
    assert works(conn, customer.key)


def test_a_revoked_key_is_over(conn: Conn, customer: Customer) -> None:
    key = only_key(conn, customer)
    accounts.revoke_key(conn, customer.account, key.id)
    for act in (
        lambda: accounts.rotate_key(conn, customer.account, key.id),
        lambda: accounts.change_key(conn, customer.account, key.id, label="", per_minute=None),
        lambda: accounts.revoke_key(conn, customer.account, key.id),
    ):
        with pytest.raises(KeyNotFound):
            act()
    assert accounts.keys(conn, customer.account) == []


def test_a_suspended_account_may_only_revoke(conn: Conn, customer: Customer) -> None:
    key = only_key(conn, customer)
    accounts.suspend(conn, customer.account)
    for act in (
        lambda: accounts.create_key(conn, customer.account),
        lambda: accounts.rotate_key(conn, customer.account, key.id),
        lambda: accounts.change_key(conn, customer.account, key.id, label="", per_minute=None),
    ):
        with pytest.raises(AccountSuspended):
            act()
    accounts.revoke_key(conn, customer.account, key.id)
    assert accounts.keys(conn, customer.account) == []


@pytest.mark.parametrize("label", ["x" * 101, "two\nlines", "nul\0"])
def test_a_label_is_one_short_line(conn: Conn, customer: Customer, label: str) -> None:
    with pytest.raises(InvalidLabel):
        accounts.create_key(conn, customer.account, label=label)
    with pytest.raises(InvalidLabel):
        accounts.change_key(conn, customer.account, only_key(conn, customer).id, label=label, per_minute=None)


@pytest.mark.parametrize("per_minute", [0, -1, 1_000_001, 2**40])
def test_a_limit_is_a_number_of_requests(conn: Conn, customer: Customer, per_minute: int) -> None:
    with pytest.raises(InvalidLimit):
        accounts.create_key(conn, customer.account, per_minute=per_minute)
    with pytest.raises(InvalidLimit):
        accounts.change_key(
            conn, customer.account, only_key(conn, customer).id, label="", per_minute=per_minute
        )


def test_the_last_use_is_never_earlier_than_one_that_is_known(conn: Conn, customer: Customer) -> None:
    key = only_key(conn, customer)
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    accounts.note_use(conn, {})
    assert key.last_used_at is None
    for at in (noon, noon - timedelta(seconds=5), noon + timedelta(seconds=5), noon):
        accounts.note_use(conn, {key.id: at, KeyId(uuid4()): at})
    assert only_key(conn, customer).last_used_at == noon + timedelta(seconds=5)


def test_processes_that_note_the_same_keys_do_not_wait_for_each_other(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        account = accounts.create(conn, "ada@example.com", password=None)
        for _ in range(10):
            accounts.create_key(conn, account.id)
        known = [key.id for key in accounts.keys(conn, account.id)]
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def work(number: int) -> None:
        order = known if number % 2 else known[::-1]
        for second in range(20):
            with fresh_pool.transaction() as conn:
                accounts.note_use(conn, dict.fromkeys(order, noon + timedelta(seconds=second)))

    assert at_once([lambda number=number: work(number) for number in range(6)]) == [None] * 6
    with fresh_pool.transaction() as conn:
        assert {key.last_used_at for key in accounts.keys(conn, account.id)} == {noon + timedelta(seconds=19)}


def test_of_twenty_who_ask_at_once_ten_get_a_key(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        account = accounts.create(conn, "ada@example.com", password=None)

    def work() -> IssuedKey:
        with fresh_pool.transaction() as conn:
            return accounts.create_key(conn, account.id)

    results = at_once([work] * 20)
    assert sorted(type(result).__name__ for result in results) == ["IssuedKey"] * 10 + ["TooManyKeys"] * 10
    with fresh_pool.transaction() as conn:
        assert len(accounts.keys(conn, account.id)) == 10


def test_of_many_who_rotate_a_key_at_once_by_the_same_form_one_does(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        account = accounts.create(conn, "ada@example.com", password=None)
        prefix = accounts.create_key(conn, account.id).prefix
        [key] = accounts.keys(conn, account.id)

    def work() -> IssuedKey:
        with fresh_pool.transaction() as conn:
            return accounts.rotate_key(conn, account.id, key.id, prefix=prefix)

    results = at_once([work] * 8)
    assert sorted(type(result).__name__ for result in results) == ["IssuedKey"] + ["KeyRotated"] * 7
    [issued] = [result for result in results if isinstance(result, IssuedKey)]
    with fresh_pool.transaction() as conn:
        assert works(conn, issued.key)
