"""Key first, then account, action, parameters, business; and what a key can and cannot do."""

from typing import Any

import pytest
from books import Books, Stored
from doors import JSON, Door, refused

from given import Customer
from panelry.domain import accounts
from panelry.domain.accounts import rules

NEVER_ISSUED = rules.key_from(4711)
Order = dict[str, str]

INVALID = refused(400, "Invalid API key")


@pytest.fixture
def revoked(stored: Stored, customer: Customer) -> str:
    with stored() as given:
        issued = accounts.create_key(given.conn, customer.account)
        given.revoke(issued.key)
        return issued.key


@pytest.mark.parametrize("action", ["add", "status", "balance", "services", "refill", "nonsense", ""])
def test_wrong_revoked_and_missing_keys_get_the_identical_answer(
    door: Door, books: Books, order: Order, revoked: str, customer: Customer, action: str
) -> None:
    wrong = customer.key[:-1] + ("0" if customer.key[-1] != "0" else "1")
    with books.untouched():
        for key in (NEVER_ISSUED, revoked, wrong, "", "x", "pnl_", "ñ" * 53, " ", customer.key.upper()):
            reply = door.post(order | {"key": key, "action": action})
            assert (reply.status, reply.body) == (400, INVALID), key
            assert reply.headers.keys() == {"content-type", "content-length", "x-request-id"}
    order.pop("key")
    assert door.post(order | {"action": action}).body == INVALID


@pytest.mark.parametrize(
    "broken", [{"service": "x"}, {"request_id": ""}, {"link": ""}, {"quantity": "-1"}], ids=str
)
def test_a_bad_key_is_told_before_a_bad_parameter(door: Door, order: Order, broken: Order) -> None:
    assert door.post(order | {"key": NEVER_ISSUED} | broken).body == INVALID


@pytest.mark.parametrize("changed", [{}, {"request_id": ""}, {"action": "status"}, {"action": "balance"}, {"action": "services"},
                                     {"action": "nonsense"}, {"action": ""}, {"service": "0"}], ids=str)  # fmt: skip
def test_a_suspended_account_hears_nothing_else(
    door: Door, stored: Stored, books: Books, customer: Customer, order: Order, changed: Order
) -> None:
    door.post(order)
    with stored() as given:
        accounts.suspend(given.conn, customer.account)
    with books.untouched():
        reply = door.post(order | changed)
    assert (reply.status, reply.body) == (403, refused(403, "Account suspended"))
    with stored() as given:
        accounts.resume(given.conn, customer.account)
    assert door.post(order).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    "action",
    [
        "refills",
        "cancel ord_",
        "webhook",
        "webhook.",
        "webhook.rename",
        "Add",
        "ADD",
        "Refill",
        "add;",
        "ädd",
        "__class__",
    ],
)
def test_unknown_actions(door: Door, books: Books, order: Order, action: str) -> None:
    with books.untouched():
        assert door.post(order | {"action": action}).error == (400, "Unknown action")


def test_a_missing_action(door: Door, order: Order) -> None:
    for fields in ({**order, "action": ""}, {"key": order["key"]}):
        assert door.post(fields).error == (400, "Missing required parameter: action")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"service": "", "request_id": ""}, "Missing required parameter: service"),
        ({"service": "x", "request_id": ""}, "Missing required parameter: request_id"),
        ({"service": "x", "link": ""}, "service must be a positive integer"),
        ({"service": "99999999", "link": ""}, "Service not found"),
        ({"link": "", "quantity": ""}, "Missing required parameter: link"),
        ({"link": "x", "quantity": ""}, "Missing required parameter: quantity"),
        ({"link": "x", "quantity": "x"}, "Link must be a valid http(s) URL"),
        ({"quantity": "x", "runs": "x"}, "Quantity must be a positive integer"),
        ({"runs": "x", "coupon": "x"}, "runs must be a positive integer"),
        ({"coupon": "x", "quantity": "1000000"}, "Invalid coupon"),
        ({"quantity": "1000000"}, "Insufficient balance"),
    ],
)
def test_the_first_thing_that_is_wrong_is_told(
    door: Door, books: Books, order: Order, changed: Order, text: str
) -> None:
    with books.untouched():
        assert door.post(order | changed).error == (400, text)


def test_a_revoked_key_fails_with_the_very_next_request(
    door: Door, stored: Stored, customer: Customer
) -> None:
    calls = [{"action": "balance"}, {"action": "services"}]
    for call in calls:
        assert door.post({"key": customer.key, **call}).status == 200
    with stored() as given:
        second = accounts.create_key(given.conn, customer.account)
        given.revoke(customer.key)
    for call in calls:
        assert door.post({"key": customer.key, **call}).body == INVALID
        assert door.post({"key": second.key, **call}).status == 200


def test_a_new_balance_cache_does_not_outlive_a_suspension(
    door: Door, stored: Stored, customer: Customer
) -> None:
    door.post(key=customer.key, action="balance")
    with stored() as given:
        accounts.suspend(given.conn, customer.account)
    assert door.post(key=customer.key, action="balance").error == (403, "Account suspended")


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "key", "cookie"])
def test_a_key_counts_only_in_the_body(door: Door, customer: Customer, name: str) -> None:
    value = {"authorization": f"Bearer {customer.key}", "cookie": f"key={customer.key}"}.get(
        name, customer.key
    )
    assert door.send(b"action=balance", headers={name: value}).body == INVALID
    query = f"key={customer.key}&action=balance".encode()
    assert door.send(b"action=balance", query=query).body == INVALID
    assert door.send(b"", query=query).body == INVALID


def test_a_key_is_not_a_list(door: Door, customer: Customer) -> None:
    for name in ("key[]", "key[0]", "Key", "key ", " key", "KEY"):
        assert door.post([(name, customer.key), ("action", "balance")]).body == INVALID


@pytest.mark.parametrize("body", [b"", b"{}", b"key=", b"&", b"=", b"&&&=&"])
def test_nothing_at_all_is_a_missing_key(door: Door, body: bytes) -> None:
    assert door.send(body, JSON if body == b"{}" else "text/plain").body == INVALID


def test_fields_that_nobody_knows_are_ignored(door: Door, customer: Customer) -> None:
    fields: dict[str, Any] = {"currency": "EUR", "account_id": "1", "balance": "9", "staff": "1", "": "x"}
    assert door.post(fields, key=customer.key, action="balance").value["balance"] == "100.00"
