"""Accounts, keys and log-ins."""

import os
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from threads import at_once

from given import Given
from panelry.database.pool import Conn, Pool
from panelry.domain import accounts
from panelry.domain.accounts import (
    AccountNotFound,
    AccountState,
    Caller,
    EmailTaken,
    InvalidApiKey,
    InvalidEmail,
    IssuedKey,
    KeyNotFound,
    PasswordTooShort,
    TierNotFound,
    TooManyKeys,
    digest,
    is_well_formed,
)
from panelry.domain.accounts.rules import key_from, normal_email

BITS = st.integers(0, 2**256 - 1)
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@for_all(BITS)
def test_a_key_has_the_form_that_scanners_know(random: int) -> None:
    key = key_from(random)
    assert re.fullmatch(r"pnl_[0-9A-Za-z]{49}", key)
    assert is_well_formed(key)


def test_keys_that_were_issued_stay_keys() -> None:
    assert key_from(2**255 + 12345) == "pnl_ULrwNTJa3CHVaAVmO8lHlO4Afd3drtx651MXvhT4K7d146CSS"


@for_all(BITS, BITS)
def test_two_numbers_are_two_keys(one: int, other: int) -> None:
    assert (key_from(one) == key_from(other)) == (one == other)


@for_all(BITS, st.data())
def test_one_wrong_character_and_it_is_no_key(random: int, data: st.DataObject) -> None:
    key = key_from(random)
    at = data.draw(st.integers(4, len(key) - 1))
    wrong = data.draw(st.sampled_from(BASE62 + " -_é").filter(lambda character: character != key[at]))
    assert not is_well_formed(key[:at] + wrong + key[at + 1 :])


@pytest.mark.parametrize("change", [str.upper, str.lower, " {}".format, "{}\n".format, "{}0".format, lambda k: k[:-1],
                                    lambda k: k[4:], lambda _: "", lambda k: "pnl-" + k[4:], lambda k: k + k])  # fmt: skip
def test_a_key_in_another_spelling_is_no_key(change: Callable[[str], str]) -> None:
    assert not is_well_formed(change(key_from(2**255 + 12345)))


@for_all(st.text(max_size=60))
def test_any_text_may_be_asked_whether_it_is_a_key(text: str) -> None:
    assert not is_well_formed(text)


def test_only_a_digest_and_a_prefix_of_a_key_are_stored(conn: Conn, given: Given) -> None:
    customer = given.customer()
    [row] = conn.execute("SELECT to_jsonb(k)::text, digest, prefix FROM api_keys k WHERE account_id = %s",
                         [customer.account]).fetchall()  # fmt: skip
    assert row[1:] == (digest(customer.key), customer.key[:12])
    assert customer.key[12:] not in row[0]


def test_a_key_is_identified_until_it_is_revoked_and_then_at_once_no_more(conn: Conn, given: Given) -> None:
    customer = given.customer()
    other = accounts.create_key(conn, customer.account)
    asked = [digest(customer.key), digest("nonsense"), digest(other.key), digest(customer.key)]
    found = accounts.identify(conn, asked)
    assert [isinstance(f, Caller) and f.account_id for f in found] == [customer.account, False] + [
        customer.account
    ] * 2
    assert isinstance(found[1], InvalidApiKey)
    Given(conn).revoke(customer.key)
    found = accounts.identify(conn, asked)
    assert [type(f) for f in found] == [InvalidApiKey, InvalidApiKey, Caller, InvalidApiKey]


def test_a_key_is_revoked_once_and_only_if_it_exists(conn: Conn, given: Given) -> None:
    customer = given.customer()
    Given(conn).revoke(customer.key)
    for prefix in (customer.key[:12], "pnl_xxxxxxxx", "", "%"):
        with pytest.raises(KeyNotFound):
            accounts.key_by_prefix(conn, prefix)


def test_a_suspended_account_is_told_so_until_it_is_resumed(conn: Conn, given: Given) -> None:
    customer = given.customer()
    accounts.suspend(conn, customer.account)
    [caller] = accounts.identify(conn, [digest(customer.key)])
    assert isinstance(caller, Caller)
    assert caller.state is AccountState.SUSPENDED
    accounts.resume(conn, customer.account)
    assert accounts.identify(conn, [digest(customer.key)]) == [replace(caller, state=AccountState.ACTIVE)]


def test_ten_keys_may_be_active_and_a_revoked_one_makes_room(conn: Conn, given: Given) -> None:
    customer = given.customer()
    keys = [accounts.create_key(conn, customer.account) for _ in range(9)]
    with pytest.raises(TooManyKeys):
        accounts.create_key(conn, customer.account)
    given.revoke(keys[3].key)
    accounts.create_key(conn, customer.account)
    with pytest.raises(TooManyKeys):
        accounts.create_key(conn, customer.account)


def test_of_many_who_ask_for_the_tenth_key_at_once_one_gets_it(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        customer = Given(conn).customer()
        for _ in range(8):
            accounts.create_key(conn, customer.account)

    def work() -> IssuedKey:
        with fresh_pool.transaction() as conn:
            return accounts.create_key(conn, customer.account)

    results = at_once([work] * 8)
    assert sorted(type(result).__name__ for result in results) == ["IssuedKey"] + ["TooManyKeys"] * 7


# Log-ins


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("  ada@example.com\n", "ada@example.com"),
        ("ADMIN@PANEL.TR", "admin@panel.tr"),
        ("adm\u0131n@panel.tr", "adm\u0131n@panel.tr"),
        ("a+b@x.io", "a+b@x.io"),
        ("josé@example.com", "josé@example.com"),
    ],
)
def test_an_address_is_stored_in_lower_case_of_plain_letters(text: str, stored: str) -> None:
    assert normal_email(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "", "ada", "@example.com", "ada@", "ada@example", "a da@example.com", "ada@@example.com", "ada@example.c",
        "ada@exam ple.com", "ada\n@example.com", "ada@example.com\0", "x" * 65 + "@example.com", "a@" + "b" * 250 + ".com",
        "ADM\u0130N@PANEL.TR", "\u212aelvin@example.com", "JOSÉ@example.com", "ada@example.com,b@example.com@",
    ],
)  # fmt: skip
def test_what_is_no_address_or_could_be_folded_into_another_is_refused(text: str) -> None:
    assert normal_email(text) is None


@for_all(st.text(max_size=30) | st.emails())
def test_a_normal_address_is_its_own_normal_form_and_no_locale_changes_it(text: str) -> None:
    address = normal_email(text)
    if address is not None:
        assert normal_email(address) == address == address.lower() == address.strip()


def test_the_dotless_i_is_another_persons_letter(conn: Conn) -> None:
    ascii_, dotless = (accounts.create(conn, f"adm{i}n@panel.tr", password=None) for i in ("I", "\u0131"))
    assert ascii_.id != dotless.id
    assert accounts.by_email(conn, "ADMIN@panel.tr").id == ascii_.id
    assert accounts.by_email(conn, "adm\u0131n@PANEL.TR").id == dotless.id


def test_an_address_is_taken_in_whatever_case(conn: Conn) -> None:
    accounts.create(conn, "ada@taken.example", password=None)
    with pytest.raises(EmailTaken):
        accounts.create(conn, " ADA@Taken.Example", password=None)


def test_a_refused_account_leaves_no_trace(conn: Conn) -> None:
    accounts.create(conn, "ada@taken.example", password=None)
    [[before]] = conn.execute("SELECT count(*) FROM accounts").fetchall()
    with pytest.raises(EmailTaken):
        accounts.create(conn, "ada@taken.example", password=None)
    assert conn.execute("SELECT count(*) FROM accounts").fetchall() == [(before,)]


def test_what_is_wrong_with_a_new_account_is_told(conn: Conn) -> None:
    with pytest.raises(InvalidEmail):
        accounts.create(conn, "ada", password=None)
    with pytest.raises(PasswordTooShort):
        accounts.create(conn, "ada@a.example", password="123456789")
    with pytest.raises(TierNotFound):
        accounts.create(conn, "ada@b.example", password=None, tier="Gold")
    with pytest.raises(AccountNotFound):
        accounts.by_email(conn, "nobody@c.example")


def test_django_accepts_our_password_hash_and_has_no_reason_to_make_another(conn: Conn) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panelry.web.configuration")  # noqa: TID251 (Django reads it there)
    import django
    from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, get_hasher

    django.setup()
    accounts.create(conn, "ada@hash.example", password="correct horse ✓")
    [[stored]] = conn.execute("SELECT password FROM users WHERE email = 'ada@hash.example'").fetchall()
    hasher = get_hasher("argon2")
    assert isinstance(hasher, Argon2PasswordHasher)
    assert get_hasher().algorithm == "argon2"
    assert not hasher.must_update(stored)
    again: list[str] = []
    assert check_password("correct horse ✓", stored, setter=again.append)
    assert not check_password("correct horse", stored)
    assert again == []


def test_without_a_password_nobody_can_log_in(conn: Conn) -> None:
    from django.contrib.auth.hashers import check_password, is_password_usable

    accounts.create(conn, "ada@none.example", password=None)
    [[stored]] = conn.execute("SELECT password FROM users WHERE email = 'ada@none.example'").fetchall()
    assert not is_password_usable(stored)
    assert not any(check_password(guess, stored) for guess in ("", "!", stored))
