"""Buying from providers: what each answer means for the order, the money, the provider and the route."""

from datetime import timedelta
from decimal import Decimal

import pytest
from submissions import now, order_row, provider_state, submission, submissions_of, told

from given import LEASE, Customer, Given
from panelry.database.pool import Conn
from panelry.domain import money, orders, providers
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import Attempt, OrderId
from panelry.domain.orders.rules.answers import backoff
from panelry.domain.providers import (
    Accepted,
    Delay,
    NotSent,
    Outcome,
    Postponed,
    ProviderId,
    Rejected,
    Rejection,
    Unknown,
    UpstreamBalance,
)

World = tuple[Customer, ServiceId, ProviderId, OrderId]
MOVES_ON = [Rejection.SERVICE, Rejection.QUANTITY, Rejection.EXTRAS]
OURS = [Rejection.KEY, Rejection.FUNDS]


@pytest.fixture
def world(given: Given) -> World:
    customer, provider = given.customer("1"), given.provider()
    service = given.service(provider)
    return customer, service, provider, given.placed(customer, service)


def rejected(reason: Rejection) -> Rejected:
    return Rejected(reason=reason, text="no")


def send(given: Given, provider: ProviderId, outcome: Outcome) -> Attempt:
    """Claim the one order that waits for a provider and have it answered."""
    [attempt] = given.attempts(provider)
    assert given.answered(attempt, outcome) == 1
    return attempt


def test_a_claimed_order_is_being_sent_and_nobody_else_gets_it(
    conn: Conn, given: Given, world: World
) -> None:
    customer, _, provider, order = world
    [attempt] = given.attempts(provider)
    assert given.attempts(provider) == []
    assert given.status(customer, order).state == "processing"
    row = submission(conn, attempt)
    assert (row.state, row.due_at) == ("sending", now(conn) + LEASE)
    assert dict(attempt.parameters) == {"link": "https://example.com/post", "quantity": "100"}
    assert told(conn, customer, order) == ["order.created", "order.processing"]


def test_an_accepted_order_is_paid_for_and_asked_about_a_second_later(
    conn: Conn, given: Given, world: World
) -> None:
    customer, _, provider, order = world
    attempt = send(given, provider, Accepted(upstream_id="17", charge=Decimal("0.0333333333")))
    row = submission(conn, attempt)
    assert (row.state, row.upstream_id, row.due_at) == ("accepted", "17", now(conn) + timedelta(seconds=1))
    assert (given.status(customer, order).state, given.balance(customer)) == ("processing", 900_000)
    [cost] = conn.execute("SELECT expected_micros, charged_micros FROM provider_costs WHERE submission_id = %s",
                          [attempt.submission_id]).fetchall()  # fmt: skip
    assert cost == (100_000, 33_334)


@pytest.mark.parametrize(
    ("charge", "kept"),
    [(None, None), (Decimal(-1), None), (Decimal(0), 0), (Decimal(10) ** 30, money.LARGEST)],
)
def test_no_charge_that_a_provider_could_name_costs_us_its_answer(
    conn: Conn, given: Given, world: World, charge: Decimal | None, kept: int | None
) -> None:
    attempt = send(given, world[2], Accepted(upstream_id="17", charge=charge))
    assert submission(conn, attempt).state == "accepted"
    query = "SELECT charged_micros FROM provider_costs WHERE submission_id = %s"
    assert conn.execute(query, [attempt.submission_id]).fetchall() == [(kept,)]


@pytest.mark.parametrize("reason", [*MOVES_ON, Rejection.LINK])
def test_a_definite_no_without_another_route_gives_all_money_back(
    conn: Conn, given: Given, world: World, reason: Rejection
) -> None:
    customer, _, provider, order = world
    attempt = send(given, provider, rejected(reason))
    assert (submission(conn, attempt).state, submission(conn, attempt).reason) == ("rejected", reason)
    status = given.status(customer, order)
    assert (status.state, status.charge_micros, status.remains) == ("refunded", 0, 100)
    assert given.balance(customer) == 1_000_000
    assert told(conn, customer, order) == [
        "order.created",
        "order.processing",
        "order.failed",
        "order.refunded",
    ]
    assert provider_state(conn, provider) == ("active", "")


def test_a_bad_link_is_refunded_although_there_is_another_route(given: Given, world: World) -> None:
    customer, service, provider, order = world
    given.route(service)
    send(given, provider, rejected(Rejection.LINK))
    assert given.status(customer, order).state == "refunded"


@pytest.mark.parametrize("reason", MOVES_ON + OURS)
def test_a_no_sends_the_order_by_the_next_route_at_once(
    conn: Conn, given: Given, world: World, reason: Rejection
) -> None:
    customer, service, provider, order = world
    second = given.route(service)
    send(given, provider, rejected(reason))
    assert (given.status(customer, order).state, given.balance(customer)) == ("pending", 900_000)
    assert given.attempts(provider) == []
    send(given, second, Accepted(upstream_id="17"))
    assert submissions_of(conn, order) == ["rejected", "accepted"]
    assert order_row(conn, order, "provider_id") == (second,)


@pytest.mark.parametrize("reason", MOVES_ON)
def test_an_order_that_all_routes_refused_is_refunded_and_no_route_is_tried_twice(
    conn: Conn, given: Given, world: World, reason: Rejection
) -> None:
    customer, service, provider, order = world
    second, third = given.route(service, priority=200), given.route(service, priority=300)
    for at in (provider, second, third):
        send(given, at, rejected(reason))
    assert (given.status(customer, order).state, given.balance(customer)) == ("refunded", 1_000_000)
    assert submissions_of(conn, order) == ["rejected"] * 3


def test_a_service_that_the_provider_no_longer_knows_closes_its_route(
    conn: Conn, given: Given, world: World
) -> None:
    _, service, provider, _ = world
    second = given.route(service)
    send(given, provider, rejected(Rejection.SERVICE))
    states = conn.execute(
        "SELECT provider_id, state FROM routes WHERE service_id = %s ORDER BY 1", [service]
    ).fetchall()
    assert states == [(provider, "off"), (second, "on")]
    given.placed(world[0], service)
    assert len(given.attempts(second)) == 2


@pytest.mark.parametrize("reason", OURS)
def test_our_own_trouble_pauses_the_provider_and_never_the_customers_order(
    conn: Conn, given: Given, world: World, reason: Rejection
) -> None:
    customer, _, provider, order = world
    attempt = send(given, provider, rejected(reason))
    assert provider_state(conn, provider) == ("paused", reason)
    assert (given.status(customer, order).state, given.balance(customer)) == ("pending", 900_000)
    given.later("1 day")
    assert given.attempts(provider) == []
    providers.record_balance(conn, provider, UpstreamBalance(amount=Decimal(5), currency="USD"))
    again = send(given, provider, Accepted(upstream_id="17"))
    assert again.request_id != attempt.request_id
    assert submissions_of(conn, order) == ["rejected", "accepted"]


def test_an_order_that_only_paused_providers_could_take_waits_without_a_refund(
    conn: Conn, given: Given, world: World
) -> None:
    customer, service, provider, order = world
    second = given.route(service)
    send(given, provider, rejected(Rejection.FUNDS))
    send(given, second, rejected(Rejection.KEY))
    assert given.status(customer, order).state == "pending"
    [due] = order_row(conn, order, "due_at")
    assert now(conn) < due <= now(conn) + timedelta(minutes=10)
    providers.record_balance(conn, provider, UpstreamBalance(amount=Decimal(5), currency="USD"))
    given.later("10 minutes")
    send(given, provider, Accepted(upstream_id="17"))


def test_a_route_that_refused_for_good_is_not_taken_again_when_the_other_one_is_short_of_funds(
    given: Given, world: World
) -> None:
    customer, service, provider, order = world
    second = given.route(service)
    send(given, provider, rejected(Rejection.QUANTITY))
    send(given, second, rejected(Rejection.FUNDS))
    given.later("1 hour")
    assert given.status(customer, order).state == "pending"
    assert given.attempts(provider) == []


@pytest.mark.parametrize(
    ("outcome", "state", "first"),
    [
        (NotSent(text="refused"), "not_sent", 1),
        (Postponed(reason=Delay.DUPLICATE_LINK, text="active order"), "postponed", 15),
        (Postponed(reason=Delay.RATE, text="429"), "postponed", 15),
    ],
)
def test_what_was_surely_not_bought_is_sent_again_later_each_time_under_a_new_id(
    conn: Conn, given: Given, world: World, outcome: Outcome, state: str, first: int
) -> None:
    customer, _, provider, order = world
    passed, seen = 0, set()
    for number in range(4):
        seen.add(send(given, provider, outcome).request_id)
        assert (given.status(customer, order).state, given.balance(customer)) == ("pending", 900_000)
        wait = first * 2**number
        assert order_row(conn, order, "due_at") == (now(conn) + timedelta(seconds=wait),)
        given.later(f"{passed + wait - 1} seconds")
        assert given.attempts(provider) == []
        passed += wait
        given.later(f"{passed} seconds")
    assert len(seen) == 4
    assert submissions_of(conn, order) == [state] * 4


def test_waits_double_up_to_ten_minutes_and_never_further() -> None:
    waits = [backoff(attempt, first=timedelta(seconds=1)) for attempt in range(10_000)]
    assert waits[:4] == [timedelta(seconds=s) for s in (1, 2, 4, 8)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=10)


def test_a_paused_provider_gets_nothing(conn: Conn, given: Given, world: World) -> None:
    providers.pause(conn, [world[2]], "by hand")
    assert given.attempts(world[2]) == []


def test_orders_are_claimed_in_the_order_in_which_they_fell_due(
    conn: Conn, given: Given, world: World
) -> None:
    customer, service, provider, first = world
    rest = [given.placed(customer, service, quantity) for quantity in (20, 30, 40)]
    for seconds, order in enumerate([*rest, first]):
        conn.execute(
            "UPDATE orders SET due_at = due_at - make_interval(secs => %s) WHERE id = %s",
            [10 - seconds, order],
        )
    assert [a.parameters["quantity"] for a in given.attempts(provider)] == ["20", "30", "40", "100"]


def test_no_more_is_sent_at_once_than_a_provider_may_get(conn: Conn, given: Given, world: World) -> None:
    customer, service, provider, _ = world
    for _ in range(5):
        given.placed(customer, service)
    conn.execute("UPDATE providers SET max_in_flight = 3 WHERE id = %s", [provider])
    assert len(given.attempts(provider, most=2)) == 2
    [third] = given.attempts(provider)
    assert given.attempts(provider) == []
    given.answered(third, Accepted(upstream_id="17"))
    assert len(given.attempts(provider)) == 1
    assert given.attempts(provider, most=0) == []


def test_another_providers_orders_are_left_alone(given: Given, world: World) -> None:
    other = given.provider()
    given.service(other)
    assert given.attempts(other) == []
    assert len(given.attempts(world[2])) == 1


def test_several_answers_of_several_customers_are_recorded_as_one_set(conn: Conn, given: Given) -> None:
    provider = given.provider()
    service = given.service(provider)
    customers = [given.customer("1") for _ in range(6)]
    for customer in customers:
        given.placed(customer, service)
    outcomes: list[Outcome] = [
        Accepted(upstream_id="1"), rejected(Rejection.LINK), NotSent(text=""), Unknown(text=""),
        rejected(Rejection.EXTRAS), Postponed(reason=Delay.RATE, text=""),
    ]  # fmt: skip
    by_account = dict(zip([c.account for c in customers], outcomes, strict=True))
    attempts = given.attempts(provider)
    answers = {(a.account_id, a.submission_id): by_account[a.account_id] for a in attempts}
    assert orders.record_outcomes(conn, answers, resendable=set()) == 6
    assert [given.balance(c) for c in customers] == [900_000, 1_000_000, 900_000, 900_000, 1_000_000, 900_000]
    assert orders.record_outcomes(conn, {}, resendable=set()) == 0


# What nobody can deliver, and what is too dear


def test_a_service_that_nobody_can_deliver_is_not_sold(conn: Conn, given: Given, world: World) -> None:
    customer, service, provider, _ = world
    send(given, provider, rejected(Rejection.SERVICE))
    before = given.balance(customer)
    conn.execute("SAVEPOINT before")
    with pytest.raises(AssertionError):
        given.placed(customer, service)
    assert given.balance(customer) == before


def test_an_order_too_dear_for_our_funds_lets_others_go_first_once_the_provider_is_resumed(
    conn: Conn, given: Given, world: World
) -> None:
    customer, service, provider, _ = world
    send(given, provider, rejected(Rejection.FUNDS))
    others = {given.placed(customer, service) for _ in range(3)}
    assert given.attempts(provider) == []
    given.later("5 minutes")
    providers.record_balance(conn, provider, UpstreamBalance(amount=Decimal(5), currency="USD"))
    attempts = given.attempts(provider)
    assert {submission_order(conn, attempt) for attempt in attempts} == others


def submission_order(conn: Conn, attempt: Attempt) -> OrderId:
    [[order]] = conn.execute(
        "SELECT order_id FROM submissions WHERE id = %s", [attempt.submission_id]
    ).fetchall()
    return OrderId(order)
