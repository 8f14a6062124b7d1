"""`refill` and `refill_status`: one, or up to a hundred."""

from uuid import UUID

import contract
import pytest
from books import Books, Stored
from doors import Door, Server
from outages import Losing
from test_api_at_once import at_once

from given import LEASE, Customer
from panelry.database.pool import Conn
from panelry.domain import ids, refills
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import OrderId
from panelry.domain.providers import RefillRefused, RefillReport, RefillState, RefillTaken
from panelry.domain.refills import Answer, RefillId

Many = list[str]


@pytest.fixture
def ended(stored: Stored, customer: Customer) -> Many:
    """Complete three orders of 100 units."""
    with stored() as given:
        service = given.service()
        return [ids.show(ids.ORDER, given.ended(customer, service)) for _ in range(3)]


def refilled(door: Door, customer: Customer, order: str) -> str:
    """Ask for a refill that must be given."""
    reply = door.post(key=customer.key, action="refill", order=order)
    assert reply.status == 200, reply.value
    return str(reply.value["refill"])


def answered(conn: Conn, refill: str, answer: Answer) -> None:
    """Have the provider asked about a refill, and answer this."""
    id_ = RefillId(ids.parse(ids.REFILL, refill) or UUID(int=0))
    query = "UPDATE refills SET due_at = clock_now() WHERE id = %s RETURNING provider_id"
    [[provider]] = conn.execute(query, [id_]).fetchall()
    claimed = {one.id: one for one in refills.claim(conn, provider, most=100, lease=LEASE)}
    assert refills.record(conn, {claimed[id_]: answer}) == 1


# refill


def test_one_order(door: Door, customer: Customer, ended: Many) -> None:
    fields = {"key": customer.key, "action": "refill", "order": ended[0]}
    contract.validate("RefillRequest", fields)
    contract.validate("Request", fields)
    value = door.post(fields).value
    contract.validate("Refill", value)
    assert value.keys() == {"refill"}


def test_many_orders_are_answered_row_by_row_as_asked(door: Door, customer: Customer, ended: Many) -> None:
    first, second, third = ended
    refilled(door, customer, second)
    strange = ids.show(ids.ORDER, ids.new())
    fields = {"key": customer.key, "action": "refill", "orders": f"{third},x,{second},{strange},{first}"}
    contract.validate("RefillRequest", fields)
    value = door.post(fields).value
    contract.validate("Refills", value)
    assert [row["order"] for row in value] == [third, "x", second, strange, first]
    assert [row.get("error") for row in value] == [
        None, "Order not found", "A refill is already pending", "Order not found", None,
    ]  # fmt: skip
    assert len({row["refill"] for row in value if "refill" in row}) == 2


def test_a_list_of_one_is_still_a_list(door: Door, customer: Customer, ended: Many) -> None:
    [row] = door.post(key=customer.key, action="refill", orders=ended[0]).value
    assert row.keys() == {"order", "refill"}


def test_duplicates_are_dropped(door: Door, customer: Customer, ended: Many) -> None:
    fields = [("key", customer.key), ("action", "refill"), *[("orders[]", f" {ended[0]} ")] * 3]
    [row] = door.post(fields).value
    assert row.keys() == {"order", "refill"}


@pytest.mark.parametrize("order", ["1", "ord_", "ord_" + "Z" * 26, "ref_" + "0" * 26, "' OR 1=1 --"])
def test_an_unknown_order_is_not_found(door: Door, customer: Customer, order: str) -> None:
    assert door.post(key=customer.key, action="refill", order=order).error == (400, "Order not found")
    assert door.post(key=customer.key, action="refill", orders=order).value == [
        {"order": order, "error": "Order not found"}
    ]


def test_an_order_of_somebody_else_is_not_found(
    door: Door, stored: Stored, books: Books, ended: Many
) -> None:
    with stored() as given:
        stranger = given.customer("1")
    with books.untouched():
        assert door.post(key=stranger.key, action="refill", order=ended[0]).error == (400, "Order not found")
        rows = door.post(key=stranger.key, action="refill", orders=",".join(ended)).value
    assert rows == [{"order": order, "error": "Order not found"} for order in ended]


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ("refill = false", "Refill is not available for this service"),
        ("refill_most = 0", "Refill limit reached"),
        ("refill_days = 0", "Refill period has expired"),
    ],
)
def test_the_terms_of_the_service_hold(
    door: Door, stored: Stored, customer: Customer, ended: Many, terms: str, text: str
) -> None:
    with stored() as given:
        query = f"UPDATE services SET {terms} FROM orders o WHERE o.service_id = services.id AND o.id = %s"  # noqa: S608 (constants)
        given.conn.execute(query.encode(), [ids.parse(ids.ORDER, ended[0])])
    assert door.post(key=customer.key, action="refill", order=ended[0]).error == (400, text)
    rows = door.post(key=customer.key, action="refill", orders=",".join(ended)).value
    assert [row.get("error") for row in rows] == [text] * 3


def test_an_order_that_has_not_ended_is_not_eligible(
    door: Door, stored: Stored, customer: Customer, service: ServiceId
) -> None:
    with stored() as given:
        order = ids.show(ids.ORDER, given.placed(customer, service))
    reply = door.post(key=customer.key, action="refill", order=order)
    assert reply.error == (400, "Order is not eligible for refill")


def test_one_at_a_time_and_three_in_all(door: Door, stored: Stored, customer: Customer, ended: Many) -> None:
    order = ended[0]
    for _ in range(3):
        refill = refilled(door, customer, order)
        again = door.post(key=customer.key, action="refill", order=order)
        assert again.error[1] in {"A refill is already pending", "Refill limit reached"}
        with stored() as given:
            answered(given.conn, refill, RefillTaken(upstream_id="7"))
            answered(given.conn, refill, RefillReport(state=RefillState.COMPLETED, word="Completed"))
    assert door.post(key=customer.key, action="refill", order=order).error == (400, "Refill limit reached")


def test_a_refill_costs_nothing(door: Door, stored: Stored, customer: Customer, ended: Many) -> None:
    with stored() as given:
        before = given.balance(customer)
    refilled(door, customer, ended[0])
    with stored() as given:
        assert given.balance(customer) == before
        assert given.status(customer, _order(ended[0])).charge_micros == 100_000


def _order(text: str) -> OrderId:
    id_ = ids.parse(ids.ORDER, text)
    assert id_
    return OrderId(id_)


def test_of_many_callers_at_once_one_gets_the_refill(
    server: Server, stored: Stored, customer: Customer, ended: Many
) -> None:
    calls = [{"key": customer.key, "action": "refill", "order": ended[0]}] * 12
    replies = at_once(server, calls)
    assert [reply.status for reply in replies].count(200) == 1
    assert {reply.error for reply in replies if reply.status != 200} == {(400, "A refill is already pending")}
    calls = [
        {"key": customer.key, "action": "refill", "orders": ",".join(order)} for order in (ended, ended[::-1])
    ] * 6
    rows = [row for reply in at_once(server, calls) for row in reply.value]
    given = [row["order"] for row in rows if "refill" in row]
    assert sorted(given) == sorted(ended[1:])


def test_a_set_whose_commit_was_not_heard_of_is_tried_again_and_gives_the_same_refills(
    door: Door, stored: Stored, customer: Customer, ended: Many, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = Losing(door.api._calls._pool)
    monkeypatch.setattr(door.api._calls, "_pool", pool)
    rows = door.post(key=customer.key, action="refill", orders=",".join(ended)).value
    assert pool.commits == 4, "the key's and the refills', each twice"
    assert [row.get("error") for row in rows] == [None] * 3
    with stored() as given:
        query = "SELECT count(*) FROM refills WHERE account_id = %s"
        assert given.conn.execute(query, [customer.account]).fetchone() == (3,)


# refill_status


def test_how_a_refill_is_doing(door: Door, stored: Stored, customer: Customer, ended: Many) -> None:
    done, refused, young = [refilled(door, customer, order) for order in ended]
    with stored() as given:
        answered(given.conn, done, RefillTaken(upstream_id="7"))
    fields = {"key": customer.key, "action": "refill_status", "refill": done}
    contract.validate("RefillStatusRequest", fields)
    contract.validate("Request", fields)
    value = door.post(fields).value
    contract.validate("RefillStatus", value)
    assert value == {"status": "in_progress"}
    with stored() as given:
        answered(given.conn, done, RefillReport(state=RefillState.COMPLETED, word="Completed"))
        answered(given.conn, refused, RefillRefused(text="a text that is the provider's own"))
    many = door.post(
        key=customer.key, action="refill_status", refills=f"{young},x,{done},{done},{refused}"
    ).value
    contract.validate("RefillStatuses", many)
    assert many == [
        {"refill": young, "status": "pending"},
        {"refill": "x", "error": "Refill not found"},
        {"refill": done, "status": "completed"},
        {"refill": refused, "status": "rejected"},
    ]


@pytest.mark.parametrize("name", ["refills[]", "refills[0]", "refills"])
def test_a_list_of_refills_may_come_as_an_array(
    door: Door, customer: Customer, ended: Many, name: str
) -> None:
    refill = refilled(door, customer, ended[0])
    reply = door.post([("key", customer.key), ("action", "refill_status"), (name, refill)])
    assert reply.value == [{"refill": refill, "status": "pending"}]


def test_a_refill_of_somebody_else_is_not_found(
    door: Door, stored: Stored, customer: Customer, ended: Many
) -> None:
    refill = refilled(door, customer, ended[0])
    with stored() as given:
        stranger = given.customer("1")
    for text in (refill, refill.lower(), "ref_" + "0" * 26, ended[0], "7"):
        reply = door.post(key=stranger.key, action="refill_status", refill=text)
        assert reply.error == (400, "Refill not found")
    [row] = door.post(key=stranger.key, action="refill_status", refills=refill).value
    assert row == {"refill": refill, "error": "Refill not found"}


# What both share with `status` and `cancel`


@pytest.mark.parametrize(
    ("action", "name"), [("refill", "order"), ("cancel", "order"), ("refill_status", "refill")]
)
def test_exactly_one_of_an_id_and_a_list_is_asked_for(
    door: Door, books: Books, customer: Customer, action: str, name: str
) -> None:
    key = {"key": customer.key, "action": action}
    with books.untouched():
        for fields in ({}, {name: " "}, {f"{name}s": " , "}, {f"{name}s[]": ""}):
            assert door.post({**key, **fields}).error == (400, f"Missing parameter: {name}")
        for many in (f"{name}s", f"{name}s[]", f"{name}s[3]"):
            reply = door.post({**key, name: "x", many: "y"})
            assert reply.error == (400, f"Provide either {name} or {name}s, not both")


@pytest.mark.parametrize(
    ("action", "name", "text"),
    [
        ("refill", "order", "Order not found"),
        ("cancel", "order", "Order not found"),
        ("refill_status", "refill", "Refill not found"),
    ],
)
def test_a_hundred_ids_and_no_more(door: Door, customer: Customer, action: str, name: str, text: str) -> None:
    prefix = {"order": ids.ORDER, "refill": ids.REFILL}[name]
    hundred = [ids.show(prefix, UUID(int=n)) for n in range(100)]
    key = {"key": customer.key, "action": action}
    rows = door.post({**key, f"{name}s": ",".join([*hundred, hundred[0], ""])}).value
    assert rows == [{name: id_, "error": text} for id_ in hundred]
    reply = door.post({**key, f"{name}s": ",".join([*hundred, "x"])})
    assert reply.error == (400, "Maximum 100 orders per request")
