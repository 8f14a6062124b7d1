"""Endpoints: who may have how many, and what becomes of what waits for them (api-v2.md, 4 webhook.add)."""

import base64
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import pytest
from endpoints import waiting
from threads import at_once

from given import VAULT, Customer, Given
from panelry.database.pool import Conn, Pool
from panelry.domain import accounts, ids, webhooks
from panelry.domain.accounts import AccountId, AccountSuspended, InvalidApiKey, KeyId, KeyNotFound
from panelry.domain.webhooks import (
    EVENTS,
    NoSuchWebhook,
    Reason,
    Registered,
    TooManyWebhooks,
    UnknownEvent,
    WebhookDisabled,
    WebhookId,
    WebhookNotFound,
)

URL = "https://hooks.example.com/p"
Ending = Callable[[WebhookId], object]
Act = Callable[[AccountId, WebhookId], object]


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer("10")


@pytest.fixture
def key(conn: Conn, customer: Customer) -> KeyId:
    return key_of(conn, customer)


def key_of(conn: Conn, customer: Customer) -> KeyId:
    [caller] = accounts.identify(conn, [accounts.digest(customer.key)])
    assert isinstance(caller, accounts.Caller)
    return caller.key_id


def add(conn: Conn, account: AccountId, key: KeyId | None = None) -> Registered:
    return webhooks.add(conn, VAULT, account, url=URL, key_id=key)


def row(conn: Conn, id_: WebhookId, columns: str) -> tuple[object, ...]:
    query = f"SELECT {columns} FROM webhooks WHERE id = %s"  # noqa: S608 (constants)
    [found] = conn.execute(query.encode(), [id_]).fetchall()
    return tuple(found)


def states(conn: Conn, id_: WebhookId) -> list[str]:
    found = conn.execute("SELECT state FROM deliveries WHERE webhook_id = %s ORDER BY 1", [id_]).fetchall()
    return [state for [state] in found]


def test_a_secret_is_32_random_bytes_and_stored_sealed_to_its_endpoint(
    conn: Conn, customer: Customer
) -> None:
    one, other = add(conn, customer.account), add(conn, customer.account)
    assert one.secret.startswith("whsec_")
    assert len(base64.b64decode(one.secret.removeprefix("whsec_"), validate=True)) == 32
    assert one.secret != other.secret
    assert one.secret not in repr(one)
    [sealed] = row(conn, one.id, "sealed_secret")
    assert isinstance(sealed, bytes)
    assert VAULT.open(sealed, purpose=f"webhook {one.id}") == one.secret


def test_an_endpoint_asks_for_all_events_unless_it_says_which(conn: Conn, customer: Customer) -> None:
    assert add(conn, customer.account).events == EVENTS
    chosen = ["order.partial", "order.created", "order.partial"]
    few = webhooks.add(conn, VAULT, customer.account, url=URL, events=chosen)
    assert few.events == ("order.created", "order.partial")
    assert [w.events for w in webhooks.of_account(conn, customer.account)] == [EVENTS, few.events]


@pytest.mark.parametrize(
    "name", ["order.pending", "run.created", "order.cancel_requested", "Order.created", "*", ""]
)
def test_what_nobody_is_told_cannot_be_asked_for(conn: Conn, customer: Customer, name: str) -> None:
    with pytest.raises(UnknownEvent) as refused:
        webhooks.add(conn, VAULT, customer.account, url=URL, events=["order.created", name])
    assert refused.value.details == {"event": name}
    assert webhooks.of_account(conn, customer.account) == []


def test_each_key_has_five_endpoints_and_the_pages_have_five(
    conn: Conn, customer: Customer, key: KeyId
) -> None:
    accounts.create_key(conn, customer.account)
    [other] = {k.id for k in accounts.keys(conn, customer.account)} - {key}
    for maker in (key, other, None):
        for _ in range(5):
            add(conn, customer.account, maker)
        with pytest.raises(TooManyWebhooks):
            add(conn, customer.account, maker)
    assert len(webhooks.of_account(conn, customer.account)) == 15


def test_a_removed_endpoint_makes_room_and_a_disabled_one_does_not(conn: Conn, customer: Customer) -> None:
    five = [add(conn, customer.account) for _ in range(5)]
    webhooks.disable(conn, [five[0].id], reason=Reason.OWNER)
    with pytest.raises(TooManyWebhooks):
        add(conn, customer.account)
    webhooks.remove(conn, customer.account, five[0].id)
    add(conn, customer.account)


def test_registering_again_under_one_id_is_one_endpoint_with_a_new_secret(
    conn: Conn, customer: Customer
) -> None:
    for _ in range(4):
        add(conn, customer.account)
    id_ = WebhookId(ids.new())
    again = [webhooks.add(conn, VAULT, customer.account, url=URL, webhook_id=id_) for _ in range(2)]
    assert [w.id for w in webhooks.of_account(conn, customer.account)].count(id_) == 1
    [sealed] = row(conn, id_, "sealed_secret")
    assert isinstance(sealed, bytes)
    assert VAULT.open(sealed, purpose=f"webhook {id_}") == again[1].secret != again[0].secret


def test_of_ten_who_ask_for_the_fifth_endpoint_at_once_one_gets_it(pool: Pool) -> None:
    with pool.transaction() as conn:
        customer = Given(conn).customer()
        key = key_of(conn, customer)
        for _ in range(4):
            add(conn, customer.account, key)

    def ask() -> Registered:
        with pool.transaction() as conn:
            return add(conn, customer.account, key)

    answers = at_once([ask] * 10)
    assert sum(isinstance(answer, Registered) for answer in answers) == 1
    assert sum(isinstance(answer, TooManyWebhooks) for answer in answers) == 9
    with pool.transaction() as conn:
        assert len(webhooks.of_account(conn, customer.account)) == 5


def test_a_revoked_key_has_no_active_endpoint_however_they_meet(pool: Pool) -> None:
    for _ in range(10):
        with pool.transaction() as conn:
            customer = Given(conn).customer()
            key = key_of(conn, customer)

        def ask(customer: Customer = customer, key: KeyId = key) -> object:
            with pool.transaction() as conn:
                return add(conn, customer.account, key)

        def revoke(customer: Customer = customer, key: KeyId = key) -> object:
            with pool.transaction() as conn:
                return webhooks.revoke_key(conn, customer.account, key)

        answers = at_once([ask, revoke, ask])
        refused = [a for a in answers if isinstance(a, Exception)]
        assert all(isinstance(refusal, InvalidApiKey) for refusal in refused), refused
        with pool.transaction() as conn:
            made = webhooks.of_account(conn, customer.account)
            assert {(w.state, w.reason) for w in made} <= {("disabled", "key_revoked")}
            assert len(made) == 2 - len(refused)


def test_revoking_a_key_disables_its_endpoints_and_no_others(
    conn: Conn, given: Given, customer: Customer, key: KeyId
) -> None:
    of_key, of_pages = add(conn, customer.account, key), add(conn, customer.account)
    given.placed(customer, given.service())
    assert waiting(conn, of_key.id) == waiting(conn, of_pages.id) == ["order.created"]
    webhooks.revoke_key(conn, customer.account, key)
    assert row(conn, of_key.id, "state, reason") == ("disabled", "key_revoked")
    assert row(conn, of_pages.id, "state, reason") == ("active", "")
    assert (states(conn, of_key.id), states(conn, of_pages.id)) == (["exhausted"], ["waiting"])
    with pytest.raises(KeyNotFound):
        webhooks.revoke_key(conn, customer.account, key)


def test_a_rotated_key_keeps_its_endpoints(conn: Conn, customer: Customer, key: KeyId) -> None:
    made = add(conn, customer.account, key)
    accounts.rotate_key(conn, customer.account, key)
    assert row(conn, made.id, "state, key_id") == ("active", key)


def test_the_endpoint_of_a_revoked_key_goes_on_as_one_of_the_pages_where_they_have_room(
    conn: Conn, customer: Customer, key: KeyId
) -> None:
    made = add(conn, customer.account, key)
    of_pages = [add(conn, customer.account) for _ in range(5)]
    webhooks.revoke_key(conn, customer.account, key)
    with pytest.raises(TooManyWebhooks):
        webhooks.enable(conn, customer.account, made.id)
    webhooks.remove(conn, customer.account, of_pages[0].id)
    webhooks.enable(conn, customer.account, made.id)
    assert row(conn, made.id, "state, reason, key_id") == ("active", "", None)


def test_a_suspended_account_registers_nothing(conn: Conn, customer: Customer) -> None:
    accounts.suspend(conn, customer.account)
    with pytest.raises(AccountSuspended):
        add(conn, customer.account)


def test_what_waits_is_given_up_when_its_endpoint_ends_and_not_taken_up_again(
    conn: Conn, given: Given, customer: Customer
) -> None:
    service = given.service()
    endings: list[Ending] = [
        lambda id_: webhooks.disable(conn, [id_], reason=Reason.GONE),
        lambda id_: webhooks.remove(conn, customer.account, id_),
    ]
    kept = given.webhook(customer)
    for end in endings:
        made = given.webhook(customer)
        given.placed(customer, service)
        end(made.id)
        given.placed(customer, service)
        assert states(conn, made.id) == ["exhausted"]
    assert states(conn, kept.id) == ["waiting"] * 4
    gone = given.webhook(customer)
    given.placed(customer, service)
    webhooks.disable(conn, [gone.id], reason=Reason.GONE)
    webhooks.enable(conn, customer.account, gone.id)
    given.placed(customer, service)
    assert states(conn, gone.id) == ["exhausted", "waiting"]


def test_no_delivery_is_left_waiting_for_an_endpoint_that_ends_while_orders_are_placed(pool: Pool) -> None:
    with pool.transaction() as conn:
        given = Given(conn)
        customer, service = given.customer("1000"), given.service()
    for _ in range(5):
        with pool.transaction() as conn:
            made = Given(conn).webhook(customer)

        def place() -> object:
            with pool.transaction() as conn:
                return Given(conn).placed(customer, service)

        def end(made: Registered = made) -> object:
            with pool.transaction() as conn:
                return webhooks.disable(conn, [made.id], reason=Reason.OWNER)

        answers = at_once([place, place, end, place, place])
        assert not [answer for answer in answers if isinstance(answer, Exception)]
        with pool.transaction() as conn:
            assert "waiting" not in states(conn, made.id)
            webhooks.remove(conn, customer.account, made.id)


def test_only_an_active_endpoint_is_disabled_and_the_first_reason_stays(
    conn: Conn, customer: Customer
) -> None:
    made, removed = add(conn, customer.account), add(conn, customer.account)
    webhooks.remove(conn, customer.account, removed.id)
    assert webhooks.disable(conn, [made.id, removed.id], reason=Reason.GONE) == [made.id]
    assert webhooks.disable(conn, [made.id], reason=Reason.OWNER) == []
    assert row(conn, made.id, "state, reason") == ("disabled", "gone")
    assert row(conn, removed.id, "state, reason") == ("removed", "")


def test_for_a_day_after_a_rotation_the_former_secret_is_kept_beside_the_new_one(
    conn: Conn, customer: Customer
) -> None:
    made = add(conn, customer.account)
    secret = webhooks.rotate_secret(conn, VAULT, customer.account, made.id)
    current, former, is_a_day = row(
        conn,
        made.id,
        "sealed_secret, sealed_former_secret, former_secret_until = clock_now() + interval '24 hours'",
    )
    assert isinstance(current, bytes)
    assert isinstance(former, bytes)
    opened = [VAULT.open(sealed, purpose=f"webhook {made.id}") for sealed in (current, former)]
    assert (opened, is_a_day) == ([secret, made.secret], True)
    assert secret != made.secret


def test_a_test_goes_to_its_endpoint_alone_whatever_that_asked_for(
    conn: Conn, given: Given, customer: Customer
) -> None:
    made, other = given.webhook(customer, "order.created"), given.webhook(customer)
    event = webhooks.test(conn, customer.account, made.id, actor="customer")
    webhooks.test(conn, customer.account, made.id, actor="customer")
    assert (waiting(conn, made.id), waiting(conn, other.id)) == (["webhook.test"] * 2, [])
    query = "SELECT sequence, subject FROM events WHERE id = %s"
    assert conn.execute(query, [event]).fetchall() == [(1, made.id)]


def test_a_disabled_endpoint_is_not_tested(conn: Conn, customer: Customer) -> None:
    made = add(conn, customer.account)
    webhooks.disable(conn, [made.id], reason=Reason.OWNER)
    with pytest.raises(WebhookDisabled):
        webhooks.test(conn, customer.account, made.id, actor="customer")
    assert states(conn, made.id) == []


def test_nobody_reaches_anothers_endpoint(conn: Conn, given: Given, customer: Customer) -> None:
    made, stranger = add(conn, customer.account), given.customer().account
    attempts: list[Act] = [
        partial(webhooks.remove, conn),
        partial(webhooks.test, conn, actor="customer"),
        partial(webhooks.rotate_secret, conn, VAULT),
        partial(webhooks.enable, conn),
    ]
    before = row(conn, made.id, "*")
    for attempt in attempts:
        with pytest.raises(WebhookNotFound):
            attempt(stranger, made.id)
        with pytest.raises(WebhookNotFound):
            attempt(customer.account, WebhookId(uuid4()))
    assert row(conn, made.id, "*") == before
    assert webhooks.of_account(conn, stranger) == []


def test_a_removed_endpoint_is_gone_but_removing_it_again_is_no_fault(conn: Conn, customer: Customer) -> None:
    made = add(conn, customer.account)
    for _ in range(2):
        webhooks.remove(conn, customer.account, made.id)
    assert webhooks.of_account(conn, customer.account) == []
    assert webhooks.find(conn, made.id).state == "removed"
    with pytest.raises(WebhookNotFound):
        webhooks.enable(conn, customer.account, made.id)
    with pytest.raises(NoSuchWebhook):
        webhooks.find(conn, WebhookId(uuid4()))
