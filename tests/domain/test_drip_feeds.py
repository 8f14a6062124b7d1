"""Drip-feeds: runs are made when their time has come, and the order is always the sum of its runs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from submissions import now, order_row, told
from threads import at_once

from given import LEASE, Customer, Given, draft
from panelry.database.pool import Conn, Pool
from panelry.domain import orders
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import CannotBeCancelled, OrderId, Placed, Tracked
from panelry.domain.providers import (
    Accepted,
    CancelAsked,
    ProviderId,
    Rejected,
    Rejection,
    Report,
    UpstreamState,
)

U = UpstreamState


@pytest.fixture(scope="module")
def pool(module_pool: Pool) -> Pool:
    """Work where nobody else leaves drip-feeds that are due."""
    return module_pool


@pytest.fixture
def provider(given: Given) -> ProviderId:
    return given.provider()


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer("1")


@pytest.fixture
def order(conn: Conn, given: Given, provider: ProviderId, customer: Customer) -> OrderId:
    """Return an order of 3 runs of 100 units every 10 minutes, for 0.10 each."""
    return drip_feed(conn, customer, given.service(provider))


def drip_feed(conn: Conn, customer: Customer, service: ServiceId, *, runs: int = 3) -> OrderId:
    conn.execute("UPDATE services SET dripfeed = true WHERE id = %s", [service])
    [placed] = orders.place(conn, [draft(customer, service, runs=str(runs), interval="10")])
    assert isinstance(placed, Placed), placed
    return placed.order_id


def runs(conn: Conn, order: OrderId) -> list[tuple[int, str, int, int]]:
    """Return each run's number, state, remains and refund."""
    query = "SELECT run, state, remains, refunded_micros FROM orders WHERE parent_id = %s ORDER BY run"
    return [(row[0], row[1], row[2], row[3]) for row in conn.execute(query, [order]).fetchall()]


def due_at(conn: Conn, order: OrderId) -> datetime | None:
    [row] = conn.execute("SELECT due_at FROM drip_feeds WHERE order_id = %s", [order]).fetchall()
    assert row[0] is None or isinstance(row[0], datetime)
    return row[0]


def made(conn: Conn, given: Given, provider: ProviderId) -> Tracked:
    """Make the next run, send it and have it accepted."""
    assert orders.make_runs(conn) == 1
    return given.accepted(provider)


def say(conn: Conn, tracked: Tracked, state: UpstreamState, remains: int, start: int | None = None) -> None:
    report = Report(state=state, word=state, remains=remains, start_count=start)
    orders.apply_reports(conn, {tracked: report})


def test_the_first_run_is_made_at_once_and_the_others_in_their_time(
    conn: Conn, given: Given, provider: ProviderId, order: OrderId
) -> None:
    assert [orders.make_runs(conn) for _ in range(3)] == [1, 0, 0]
    given.later("9 minutes 59 seconds")
    assert orders.make_runs(conn) == 0
    given.later("10 minutes")
    assert [orders.make_runs(conn), orders.make_runs(conn)] == [1, 0]
    given.later("1 year")
    assert [orders.make_runs(conn), orders.make_runs(conn)] == [1, 0]
    assert [run[:3] for run in runs(conn, order)] == [(n, "pending", 100) for n in (1, 2, 3)]
    assert due_at(conn, order) is None


def test_after_a_standstill_runs_keep_their_distance(
    conn: Conn, given: Given, provider: ProviderId, order: OrderId
) -> None:
    orders.make_runs(conn)
    given.later("3 days")
    assert [orders.make_runs(conn), orders.make_runs(conn)] == [1, 0]
    assert due_at(conn, order) == now(conn) + timedelta(minutes=10)


def test_a_run_is_an_order_of_its_own_to_the_provider_and_none_to_the_customer(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    orders.make_runs(conn)
    [attempt] = given.attempts(provider)
    assert attempt.parameters == {"link": "https://example.com/post", "quantity": "100"}
    [[run]] = conn.execute("SELECT id FROM orders WHERE parent_id = %s", [order]).fetchall()
    [answer] = orders.cancel(conn, [(customer.account, OrderId(run))], actor=orders.CUSTOMER)
    assert isinstance(answer, orders.OrderNotFound)


def test_the_order_shows_the_sum_of_its_runs(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    seen = []
    for number, (state, remains) in enumerate([(U.COMPLETED, 0), (U.PARTIAL, 40), (U.COMPLETED, 0)]):
        given.later(f"{number * 11} minutes")
        tracked = made(conn, given, provider)
        say(conn, tracked, U.IN_PROGRESS, 50, 1000 + number)
        status = given.status(customer, order)
        seen.append((str(status.state), status.remains, status.runs_done))
        say(conn, tracked, state, remains)
        given.assert_books()
    assert seen == [("in_progress", 250, 0), ("in_progress", 150, 1), ("in_progress", 90, 2)]
    status = given.status(customer, order)
    assert (status.state, status.remains, status.start_count) == ("partial", 40, 1000)
    assert (status.runs, status.runs_done, status.charge_micros) == (3, 3, 260_000)
    assert given.balance(customer) == 740_000
    assert told(conn, customer, order)[-2:] == ["order.refunded", "order.partial"]


@pytest.mark.parametrize(
    ("ends", "state", "charge"),
    [
        ([(U.COMPLETED, 0)] * 3, "completed", 300_000),
        ([(U.CANCELLED, 100)] * 3, "cancelled", 0),
        ([(U.REFUNDED, 100)] * 3, "refunded", 0),
        ([(U.REFUNDED, 100), (U.CANCELLED, 100), (U.REFUNDED, 100)], "cancelled", 0),
        ([(U.COMPLETED, 0), (U.REFUNDED, 100), (U.COMPLETED, 0)], "partial", 200_000),
        ([(U.CANCELLED, 60), (U.PARTIAL, 100), (U.PARTIAL, 99)], "partial", 41_000),
    ],
)
def test_the_end_of_the_order_follows_from_the_ends_of_its_runs(
    conn: Conn,
    given: Given,
    customer: Customer,
    provider: ProviderId,
    order: OrderId,
    ends: Sequence[tuple[UpstreamState, int]],
    state: str,
    charge: int,
) -> None:
    for number, end in enumerate(ends):
        given.later(f"{number * 11} minutes")
        assert given.status(customer, order).state != state
        say(conn, made(conn, given, provider), *end)
    status = given.status(customer, order)
    assert (status.state, status.charge_micros) == (state, charge)
    assert given.balance(customer) == 1_000_000 - charge
    given.assert_books()


def test_a_run_that_is_definitely_refused_is_paid_back_and_the_next_one_is_made(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    orders.make_runs(conn)
    [attempt] = given.attempts(provider)
    given.answered(attempt, Rejected(reason=Rejection.LINK, text="bad link"))
    status = given.status(customer, order)
    assert (status.state, status.charge_micros) == ("in_progress", 200_000)
    given.later("10 minutes")
    assert orders.make_runs(conn) == 1
    given.assert_books()


def test_cancel_in_the_middle_stops_what_was_not_sent_and_asks_for_the_rest(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    say(conn, made(conn, given, provider), U.COMPLETED, 0)
    given.later("11 minutes")
    second = made(conn, given, provider)
    key = (customer.account, order)
    assert orders.cancel(conn, [key], actor=orders.CUSTOMER) == [order]
    assert due_at(conn, order) is None
    status = given.status(customer, order)
    assert (status.state, status.charge_micros) == ("in_progress", 200_000)
    given.assert_books()
    [call] = orders.claim_cancels(conn, provider, most=9, lease=LEASE)
    assert call.upstream_id == second.upstream_id
    orders.record_cancels(conn, {call: CancelAsked()})
    say(conn, second, U.CANCELLED, 30)
    status = given.status(customer, order)
    assert (status.state, status.charge_micros, status.remains) == ("partial", 170_000, 130)
    assert orders.cancel(conn, [key], actor=orders.CUSTOMER) == [order]
    given.later("1 year")
    assert orders.make_runs(conn) == 0
    given.assert_books()


def test_cancel_before_anything_was_sent_ends_the_order_with_all_its_money(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    orders.make_runs(conn)
    assert orders.cancel(conn, [(customer.account, order)], actor=orders.CUSTOMER) == [order]
    status = given.status(customer, order)
    assert (status.state, status.charge_micros, status.remains) == ("cancelled", 0, 300)
    assert given.balance(customer) == 1_000_000
    assert given.attempts(provider) == []
    given.assert_books()


def test_without_cancel_the_runs_under_way_go_on_and_the_others_are_stopped(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    conn.execute("UPDATE services SET cancel = false")
    first = made(conn, given, provider)
    key = (customer.account, order)
    assert orders.cancel(conn, [key], actor=orders.CUSTOMER) == [order]
    assert orders.claim_cancels(conn, provider, most=9, lease=LEASE) == []
    say(conn, first, U.COMPLETED, 0)
    assert given.status(customer, order).state == "partial"
    assert given.balance(customer) == 900_000
    given.assert_books()


def test_without_cancel_and_with_every_run_sent_it_is_too_late(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId
) -> None:
    order = drip_feed(conn, customer, given.service(provider), runs=2)
    conn.execute("UPDATE services SET cancel = false")
    made(conn, given, provider)
    given.later("11 minutes")
    made(conn, given, provider)
    [answer] = orders.cancel(conn, [(customer.account, order)], actor=orders.CUSTOMER)
    assert isinstance(answer, CannotBeCancelled)


def test_a_run_takes_the_best_route_of_its_hour_and_ends_where_there_is_none(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId
) -> None:
    service = given.service(provider)
    order = drip_feed(conn, customer, service)
    other = given.route(service, priority=1)
    orders.make_runs(conn)
    [[run_provider]] = conn.execute("SELECT provider_id FROM orders WHERE parent_id = %s", [order]).fetchall()
    assert run_provider == other
    conn.execute("UPDATE routes SET state = 'off' WHERE service_id = %s", [service])
    given.later("11 minutes")
    assert orders.make_runs(conn) == 1
    assert runs(conn, order)[1][1:] == ("cancelled", 100, 100_000)
    assert given.balance(customer) == 800_000
    given.assert_books()


def test_two_engines_make_each_run_once(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        customer, service = given.customer("100"), given.service()
        feeds = [drip_feed(conn, customer, service) for _ in range(20)]

    def work() -> int:
        with fresh_pool.transaction() as conn:
            return orders.make_runs(conn, most=7)

    counts = at_once([work] * 8)
    with fresh_pool.transaction() as conn:
        numbers = [n for n in counts if isinstance(n, int)]
        assert len(numbers) == 8
        assert all(len(runs(conn, feed)) <= 1 for feed in feeds)
        assert sum(numbers) == sum(len(runs(conn, feed)) for feed in feeds)


def test_reports_about_runs_and_a_cancel_at_once_leave_the_books_right(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        provider, customer = given.provider(), given.customer("100")
        service = given.service(provider)
    for _ in range(15):
        with fresh_pool.transaction() as conn:
            given = Given(conn)
            order = drip_feed(conn, customer, service)
            first = made(conn, given, provider)

        def report(first: Tracked = first) -> object:
            with fresh_pool.transaction() as conn:
                return say(conn, first, U.PARTIAL, 50)

        def cancel(order: OrderId = order) -> object:
            with fresh_pool.transaction() as conn:
                return orders.cancel(conn, [(customer.account, order)], actor=orders.CUSTOMER)

        assert at_once([report, cancel]) == [None, [order]]
        with fresh_pool.transaction() as conn:
            given = Given(conn)
            status = given.status(customer, order)
            assert (status.state, status.charge_micros) == ("partial", 50_000)
            given.assert_books()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["make", "send", "refuse", "unsent", "report", "cancel"]),
        st.sampled_from(list(U)),
        st.integers(-20, 130),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(steps=STEPS)
def test_whatever_happens_the_order_is_the_sum_of_its_runs(
    conn: Conn, given: Given, steps: Sequence[tuple[str, UpstreamState, int]]
) -> None:
    provider, customer = given.provider(), given.customer("1")
    order = drip_feed(conn, customer, given.service(provider))
    sent: list[Tracked] = []
    for number, (step, state, remains) in enumerate(steps):
        given.later(f"{number * 11} minutes")
        if step == "make":
            orders.make_runs(conn)
        elif step == "cancel":
            orders.cancel(conn, [(customer.account, order)], actor=orders.CUSTOMER)
        elif step == "report" and sent:
            say(conn, sent[number % len(sent)], state, remains)
        else:
            for attempt in given.attempts(provider, most=1):
                if step == "send":
                    given.answered(attempt, Accepted(upstream_id=f"{order}{number}"))
                    sent.append(tracked_of(attempt, f"{order}{number}"))
                else:
                    reason = Rejection.LINK if step == "refuse" else Rejection.KEY
                    given.answered(attempt, Rejected(reason=reason, text="no"))
                    conn.execute("UPDATE providers SET state = 'active'")
        status = given.status(customer, order)
        assert given.balance(customer) + status.charge_micros == 1_000_000
        given.assert_books()
    assert now(conn)
    assert order_row(conn, order, "charge_micros") == (300_000,)


def tracked_of(attempt: orders.Attempt, upstream_id: str) -> Tracked:
    return Tracked(
        submission_id=attempt.submission_id,
        account_id=attempt.account_id,
        provider_id=attempt.provider_id,
        upstream_id=upstream_id,
    )


def test_the_parent_is_never_sent(conn: Conn, given: Given, provider: ProviderId, order: OrderId) -> None:
    assert given.attempts(provider) == []
    assert order_row(conn, order, "provider_id", "route_id") == (None, None)
    assert isinstance(order, UUID)
