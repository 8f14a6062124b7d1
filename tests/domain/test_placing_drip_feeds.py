"""Placing orders that are delivered in runs: one order, charged for all runs at once, never sent itself."""

from datetime import datetime

import pytest

from given import Customer, Given, draft, upstream_service
from panelry.database.pool import Conn
from panelry.domain import catalog, events
from panelry.domain.catalog import ServiceId
from panelry.domain.ledger import InsufficientBalance
from panelry.domain.orders import Draft, OrderId, Placed, RequestIdReused, place
from panelry.domain.providers import ProviderId


@pytest.fixture
def provider(given: Given) -> ProviderId:
    return given.provider()


@pytest.fixture
def service(given: Given, provider: ProviderId) -> ServiceId:
    """Put a service on sale that its provider offers in runs, at a price that has to be rounded for each run."""
    return given.services(provider, [upstream_service(rate="0.000333", dripfeed=True)])[0]


def drip_feed(conn: Conn, order: OrderId) -> list[tuple[int, int, int, datetime | None]]:
    """Return runs, minutes between them, how many were made, when the next is due."""
    query = "SELECT runs, interval_minutes, made, due_at FROM drip_feeds WHERE order_id = %s"
    return [(row[0], row[1], row[2], row[3]) for row in conn.execute(query, [order]).fetchall()]


def placed(conn: Conn, wanted: Draft) -> Placed:
    [answer] = place(conn, [wanted])
    assert isinstance(answer, Placed), answer
    return answer


def test_all_runs_are_charged_at_once_each_rounded_up_by_itself(
    conn: Conn, given: Given, service: ServiceId
) -> None:
    customer = given.customer("1")
    order = placed(conn, draft(customer, service, quantity=10, runs="7", interval="15")).order_id
    status = given.status(customer, order)
    assert (status.remains, status.charge_micros) == (70, 7 * 4)
    assert given.balance(customer) == 1_000_000 - 28
    [created] = events.timeline(conn, customer.account, order)
    assert (created.data["quantity"], created.data["charge_micros"]) == (70, 28)
    given.assert_books()


def test_the_first_run_is_due_at_once_and_the_order_itself_is_never_sent(
    conn: Conn, given: Given, provider: ProviderId, service: ServiceId
) -> None:
    order = placed(conn, draft(given.customer("1"), service, runs="3", interval="15")).order_id
    [[now]] = conn.execute("SELECT clock_now()").fetchall()
    assert drip_feed(conn, order) == [(3, 15, 0, now)]
    query = "SELECT route_id, provider_id, state FROM orders WHERE id = %s"
    assert conn.execute(query, [order]).fetchall() == [(None, None, "pending")]
    assert given.attempts(provider) == []


def test_one_run_is_an_ordinary_order(
    conn: Conn, given: Given, provider: ProviderId, service: ServiceId
) -> None:
    order = placed(conn, draft(given.customer("1"), service, runs="1", interval="15")).order_id
    assert drip_feed(conn, order) == []
    [attempt] = given.attempts(provider)
    assert attempt.parameters == {"link": "https://example.com/post", "quantity": "100"}


def test_a_drip_feed_is_placed_once_however_often_it_is_asked_for(
    conn: Conn, given: Given, service: ServiceId
) -> None:
    wanted = draft(given.customer("1"), service, request_id="r", runs="3", interval="15")
    first, twin = place(conn, [wanted, wanted])
    assert isinstance(first, Placed)
    assert isinstance(twin, Placed)
    assert placed(conn, wanted).order_id == first.order_id == twin.order_id
    assert len(drip_feed(conn, first.order_id)) == 1


def test_other_runs_or_another_interval_are_other_orders(
    conn: Conn, given: Given, service: ServiceId
) -> None:
    customer = given.customer("1")
    placed(conn, draft(customer, service, request_id="r", runs="3", interval="15"))
    for more in ({"runs": "4", "interval": "15"}, {"runs": "3", "interval": "16"}, {"interval": "15"}, {}):
        [answer] = place(conn, [draft(customer, service, request_id="r", **more)])
        assert isinstance(answer, RequestIdReused)


def test_money_for_all_runs_must_be_there(conn: Conn, given: Given, service: ServiceId) -> None:
    customer = given.customer("0.000135")  # a run of 100 costs 34 micros
    wanted = draft(customer, service, request_id="r", runs="4", interval="15")
    [answer] = place(conn, [wanted])
    assert isinstance(answer, InsufficientBalance)
    assert conn.execute(
        "SELECT count(*) FROM drip_feeds WHERE account_id = %s", [customer.account]
    ).fetchall() == [(0,)]
    given.deposit(customer.account, "0.000001")
    placed(conn, wanted)
    assert given.balance(customer) == 0


def test_drip_feeds_and_other_orders_go_together_in_a_set(
    conn: Conn, given: Given, provider: ProviderId, service: ServiceId
) -> None:
    customers: list[Customer] = [given.customer("1") for _ in range(4)]
    more = ({"runs": "2", "interval": "5"}, {}, {"runs": "3", "interval": "5"}, {"runs": "1"})
    answers = place(conn, [draft(c, service, **m) for c, m in zip(customers, more, strict=True)])
    assert [len(drip_feed(conn, a.order_id)) for a in answers if isinstance(a, Placed)] == [1, 0, 1, 0]
    assert len(given.attempts(provider)) == 2
    given.assert_books()


@pytest.mark.parametrize(
    ("type_", "said", "offered"),
    [("Default", True, True), ("Web Traffic", True, True), ("Default", False, False), ("Poll", True, False)],
)
def test_runs_are_offered_where_the_provider_offers_them_and_the_type_takes_them(
    conn: Conn, given: Given, type_: str, *, said: bool, offered: bool
) -> None:
    [service] = given.services(None, [upstream_service(type_=type_, dripfeed=said)])
    [listed] = [listing for listing in catalog.listings(conn) if listing.id == service]
    assert listed.dripfeed is offered
