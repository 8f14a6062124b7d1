"""Orders go where they can be delivered: around paused and broken providers and closed routes, never after an unknown."""

import pytest
from submissions import order_row, submissions_of, told

from given import Customer, Given
from panelry.database.pool import Conn
from panelry.domain import orders, providers
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import OrderId
from panelry.domain.providers import ProviderId, Rejected, Rejection, Unknown

World = tuple[Customer, ServiceId, ProviderId, ProviderId, OrderId]


@pytest.fixture
def world(given: Given) -> World:
    """Return an order that waits for the first of two providers."""
    customer, first = given.customer("1"), given.provider()
    service = given.service(first)
    second = given.route(service)
    return customer, service, first, second, given.placed(customer, service)


def pause(conn: Conn, world: World) -> None:
    providers.pause(conn, [world[2]], "by hand")


def break_down(conn: Conn, world: World) -> None:
    providers.mark_broken(conn, world[2], seconds=30)


def close_route(conn: Conn, world: World) -> None:
    query = "UPDATE routes SET state = 'off' WHERE service_id = %s AND provider_id = %s"
    conn.execute(query, [world[1], world[2]])


@pytest.mark.parametrize("obstacle", [pause, break_down, close_route])
def test_a_waiting_order_takes_another_open_route_and_tells_nobody(
    conn: Conn, given: Given, world: World, obstacle: object
) -> None:
    customer, _, first, second, order = world
    assert callable(obstacle)
    assert orders.reroute(conn) == 0
    obstacle(conn, world)
    assert (orders.reroute(conn), orders.reroute(conn)) == (1, 0)
    assert order_row(conn, order, "state", "provider_id") == ("pending", second)
    assert told(conn, customer, order) == ["order.created"]
    [attempt] = given.attempts(second)
    assert attempt.account_id == customer.account
    assert given.attempts(first) == []
    given.assert_books()


@pytest.mark.parametrize("obstacle", [pause, break_down, close_route])
def test_a_new_order_takes_the_first_healthy_route(
    conn: Conn, given: Given, world: World, obstacle: object
) -> None:
    customer, service, _, second, _ = world
    assert callable(obstacle)
    obstacle(conn, world)
    assert order_row(conn, given.placed(customer, service), "provider_id") == (second,)


def test_without_another_open_route_an_order_waits_for_its_provider(
    conn: Conn, given: Given, world: World
) -> None:
    _, _, first, second, order = world
    providers.pause(conn, [first, second], "by hand")
    assert orders.reroute(conn) == 0
    assert order_row(conn, order, "provider_id") == (first,)


def test_a_broken_provider_is_whole_again_after_its_time(conn: Conn, given: Given, world: World) -> None:
    customer, service, first, _, _ = world
    break_down(conn, world)
    given.later("29 seconds")
    providers.mark_broken(conn, first, seconds=30)  # written once while it lasts
    given.later("31 seconds")
    assert orders.reroute(conn) == 0
    assert order_row(conn, given.placed(customer, service), "provider_id") == (first,)


def test_an_order_never_goes_back_to_a_route_that_refused_it(conn: Conn, given: Given, world: World) -> None:
    _, _, first, second, order = world
    [attempt] = given.attempts(first)
    given.answered(attempt, Rejected(reason=Rejection.QUANTITY, text="quantity less than 200"))
    providers.pause(conn, [second], "by hand")
    assert orders.reroute(conn) == 0
    assert order_row(conn, order, "provider_id") == (second,)


def test_an_order_refused_for_want_of_our_funds_takes_whichever_route_opens_first(
    conn: Conn, given: Given, world: World
) -> None:
    _, _, first, second, order = world
    providers.pause(conn, [second], "by hand")
    [attempt] = given.attempts(first)
    given.answered(attempt, Rejected(reason=Rejection.FUNDS, text="not enough funds"))
    assert order_row(conn, order, "provider_id") == (second,)
    conn.execute("UPDATE providers SET state = 'active' WHERE id = %s", [first])
    assert orders.reroute(conn) == 0
    given.later("11 minutes")
    assert orders.reroute(conn) == 1
    assert order_row(conn, order, "provider_id") == (first,)
    conn.execute("UPDATE providers SET state = 'active' WHERE id = %s", [second])
    assert len(given.attempts(first)) == 1


def test_an_order_refused_for_want_of_our_funds_is_sent_at_once_by_another_route_that_opens(
    conn: Conn, given: Given, world: World
) -> None:
    _, _, first, second, order = world
    providers.pause(conn, [second], "by hand")
    [attempt] = given.attempts(first)
    given.answered(attempt, Rejected(reason=Rejection.FUNDS, text="not enough funds"))
    conn.execute("UPDATE providers SET state = 'active' WHERE id = %s", [second])
    assert len(given.attempts(second)) == 1
    assert submissions_of(conn, order) == ["rejected", "sending"]


def test_an_order_whose_outcome_is_unknown_never_goes_elsewhere(
    conn: Conn, given: Given, world: World
) -> None:
    _, _, first, second, order = world
    [attempt] = given.attempts(first)
    given.answered(attempt, Unknown(text="reset"))
    pause(conn, world)
    assert orders.reroute(conn) == 0
    assert given.attempts(second) == []
    assert submissions_of(conn, order) == ["unknown"]


def test_the_better_of_the_open_routes_is_taken(conn: Conn, given: Given, world: World) -> None:
    _, service, _, _, order = world
    best = given.route(service, priority=150)
    pause(conn, world)
    assert orders.reroute(conn) == 1
    assert order_row(conn, order, "provider_id") == (best,)


@pytest.mark.parametrize("reason", ["held", "staff"])
def test_an_order_does_not_go_by_a_route_that_waits_for_a_person(
    conn: Conn, given: Given, world: World, reason: str
) -> None:
    customer, service, first, _, order = world
    query = "UPDATE routes SET state = %s, off_reason = %s WHERE service_id = %s"
    conn.execute(query, ["off", reason, service])
    assert given.attempts(first) == []
    assert first not in orders.due(conn).to_send
    conn.execute(query, ["on", "", service])
    assert len(given.attempts(first)) == 1
    assert given.status(customer, order).state == "processing"
