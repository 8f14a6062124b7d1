"""`cancel`: one order, or up to a hundred."""

import contract
import pytest
from books import Books, Stored
from doors import Door, Server
from test_api_at_once import at_once

from given import LEASE, Customer
from panelry.domain import ids, orders
from panelry.domain.catalog import ServiceId
from panelry.domain.providers import Accepted, ProviderId, Report, UpstreamState

Many = list[str]
GONE = {"status": "cancelled", "charge": "0.00", "start_count": "0", "remains": "100", "currency": "USD"}


@pytest.fixture
def pending(stored: Stored, customer: Customer, service: ServiceId) -> Many:
    """Place three orders of 100 units for 0.10."""
    with stored() as given:
        return [ids.show(ids.ORDER, given.placed(customer, service)) for _ in range(3)]


@pytest.fixture
def provider(stored: Stored) -> ProviderId:
    with stored() as given:
        return given.provider()


@pytest.fixture
def sent(stored: Stored, customer: Customer, provider: ProviderId) -> str:
    """Place an order of 100 units that its provider has accepted as 17."""
    with stored() as given:
        order = given.placed(customer, given.service(provider))
        [attempt] = given.attempts(provider)
        given.answered(attempt, Accepted(upstream_id="17"))
        return ids.show(ids.ORDER, order)


def cancel(door: Door, customer: Customer, **fields: str) -> object:
    return door.post({"key": customer.key, "action": "cancel", **fields}).value


def status(door: Door, customer: Customer, order: str) -> object:
    return door.post(key=customer.key, action="status", order=order).value


def balance(door: Door, customer: Customer) -> str:
    return str(door.post(key=customer.key, action="balance").value["balance"])


def test_what_was_not_sent_is_cancelled_at_once_with_all_its_money(
    door: Door, customer: Customer, pending: Many
) -> None:
    assert balance(door, customer) == "99.70"
    fields = {"key": customer.key, "action": "cancel", "order": pending[0]}
    contract.validate("CancelRequest", fields)
    contract.validate("Request", fields)
    value = door.post(fields).value
    contract.validate("Cancelled", value)
    assert value == {"cancel": pending[0]}
    assert status(door, customer, pending[0]) == GONE
    assert balance(door, customer) == "99.80", "the balance is not remembered from before"


def test_asking_again_answers_the_same_and_pays_once(
    door: Door, books: Books, customer: Customer, pending: Many
) -> None:
    first = cancel(door, customer, order=pending[0])
    with books.untouched():
        assert cancel(door, customer, order=pending[0]) == first
        assert cancel(door, customer, orders=pending[0]) == [{"order": pending[0], "cancel": pending[0]}]


def test_many_orders_are_answered_row_by_row_as_asked(door: Door, customer: Customer, pending: Many) -> None:
    first, _, third = pending
    strange = ids.show(ids.ORDER, ids.new())
    value = cancel(door, customer, orders=f"{third}, x ,{strange},{third},,{first}")
    contract.validate("Cancels", value)
    assert value == [
        {"order": third, "cancel": third},
        {"order": "x", "error": "Order not found"},
        {"order": strange, "error": "Order not found"},
        {"order": first, "cancel": first},
    ]
    assert [status(door, customer, order) == GONE for order in pending] == [True, False, True]


def test_an_order_of_somebody_else_is_not_found(
    door: Door, stored: Stored, books: Books, pending: Many
) -> None:
    with stored() as given:
        stranger = given.customer("1")
    with books.untouched():
        assert door.post(key=stranger.key, action="cancel", order=pending[0]).error == (
            400,
            "Order not found",
        )
        assert cancel(door, stranger, orders=",".join(pending)) == [
            {"order": order, "error": "Order not found"} for order in pending
        ]


@pytest.mark.parametrize("order", ["1", "ord_", "ord_" + "Z" * 26, "ref_" + "0" * 26, "' OR 1=1 --"])
def test_an_unknown_order_is_not_found(door: Door, customer: Customer, order: str) -> None:
    assert door.post(key=customer.key, action="cancel", order=order).error == (400, "Order not found")


def test_what_is_under_way_is_asked_to_be_cancelled_and_paid_back_only_when_it_is(
    door: Door, stored: Stored, customer: Customer, provider: ProviderId, sent: str
) -> None:
    for _ in range(2):
        assert cancel(door, customer, order=sent) == {"cancel": sent}
    assert status(door, customer, sent) == {**GONE, "status": "processing", "charge": "0.10"}
    assert balance(door, customer) == "99.90"
    with stored() as given:
        [call] = orders.claim_cancels(given.conn, provider, most=10, lease=LEASE)
        report = Report(state=UpstreamState.PARTIAL, word="Partial", remains=60)
        tracked = orders.Tracked(
            submission_id=call.submission_id, account_id=call.account_id, provider_id=provider, upstream_id="17"
        )  # fmt: skip
        orders.apply_reports(given.conn, {tracked: report})
    assert status(door, customer, sent) == {**GONE, "status": "partial", "charge": "0.04", "remains": "60"}


def test_what_has_ended_or_cannot_be_stopped_is_not_cancelled(
    door: Door, stored: Stored, books: Books, customer: Customer, service: ServiceId, sent: str
) -> None:
    with stored() as given:
        done = ids.show(ids.ORDER, given.ended(customer, given.service()))
        query = (
            "UPDATE services SET cancel = false FROM orders o WHERE o.service_id = services.id AND o.id = %s"
        )
        given.conn.execute(query, [ids.parse(ids.ORDER, sent)])
    with books.untouched():
        for order in (done, sent):
            reply = door.post(key=customer.key, action="cancel", order=order)
            assert reply.error == (400, "Order cannot be cancelled")
        rows = cancel(door, customer, orders=f"{done},{sent}")
    assert rows == [{"order": order, "error": "Order cannot be cancelled"} for order in (done, sent)]


def test_of_many_callers_at_once_all_are_told_that_it_is_cancelled_and_it_is_paid_back_once(
    server: Server, stored: Stored, customer: Customer, pending: Many
) -> None:
    calls = [{"key": customer.key, "action": "cancel", "order": pending[0]}] * 6
    calls += [
        {"key": customer.key, "action": "cancel", "orders": ",".join(o)} for o in (pending, pending[::-1])
    ] * 3
    replies = at_once(server, calls)
    assert [reply.value for reply in replies[:6]] == [{"cancel": pending[0]}] * 6
    assert [len([row for row in reply.value if "cancel" in row]) for reply in replies[6:]] == [3] * 6
    with stored() as given:
        assert given.balance(customer) == 100_000_000
        given.assert_books()
