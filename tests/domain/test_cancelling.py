"""Cancelling: what was not sent ends at once, what was is its provider's to end; nothing is paid back twice."""

from itertools import count
from uuid import uuid4

import pytest
from submissions import order_row, submission, submissions_of, told
from threads import at_once

from given import LEASE, Customer, Given
from panelry.database.pool import Conn, Pool
from panelry.domain import ids, orders
from panelry.domain.orders import CancelCall, CannotBeCancelled, OrderId, OrderNotFound
from panelry.domain.providers import (
    Accepted,
    CancelAnswer,
    CancelAsked,
    CancelRefused,
    NotSent,
    Outcome,
    Postponed,
    ProviderId,
    Rejected,
    Rejection,
    Report,
    RowError,
    Unknown,
    UpstreamState,
)
from panelry.domain.providers.values import Delay
from panelry.domain.refusals import Refusal

U = UpstreamState


@pytest.fixture
def provider(given: Given) -> ProviderId:
    return given.provider()


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer("1")


@pytest.fixture
def order(given: Given, provider: ProviderId, customer: Customer) -> OrderId:
    """Return an order of 100 units for 0.10."""
    return given.placed(customer, given.service(provider))


def cancel(conn: Conn, customer: Customer, *asked: OrderId) -> list[OrderId | Refusal]:
    return orders.cancel(conn, [(customer.account, order) for order in asked], actor=orders.CUSTOMER)


def refused(answer: object, refusal: type[Refusal]) -> bool:
    return isinstance(answer, refusal)


def calls(conn: Conn, provider: ProviderId) -> list[CancelCall]:
    return orders.claim_cancels(conn, provider, most=100, lease=LEASE)


def cancel_row(conn: Conn, order: OrderId) -> tuple[str, str, int]:
    query = "SELECT state, message, attempt FROM cancels WHERE order_id = %s"
    [row] = conn.execute(query, [order]).fetchall()
    return (row[0], row[1], row[2])


def test_what_was_not_sent_is_cancelled_at_once_with_all_its_money(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    assert cancel(conn, customer, order) == [order]
    status = given.status(customer, order)
    assert (status.state, status.charge_micros, status.remains) == ("cancelled", 0, 100)
    assert given.balance(customer) == 1_000_000
    assert told(conn, customer, order) == ["order.created", "order.cancelled", "order.refunded"]
    assert given.attempts(provider) == []
    given.assert_books()


def test_asking_twice_answers_the_same_and_pays_once(
    conn: Conn, given: Given, customer: Customer, order: OrderId
) -> None:
    assert cancel(conn, customer, order) == cancel(conn, customer, order) == [order]
    assert cancel(conn, customer, order, order) == [order, order]
    assert given.balance(customer) == 1_000_000


def test_what_is_under_way_is_queued_once_and_moves_no_money(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    given.accepted(provider)
    assert cancel(conn, customer, order) == cancel(conn, customer, order) == [order]
    assert given.status(customer, order).state == "processing"
    assert given.balance(customer) == 900_000
    assert told(conn, customer, order) == ["order.created", "order.processing", "order.cancel_requested"]
    [call] = calls(conn, provider)
    assert (call.order_id, call.attempt) == (order, 0)
    assert calls(conn, provider) == []


def test_the_outcome_is_what_the_orders_status_says(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    tracked = given.accepted(provider)
    cancel(conn, customer, order)
    [call] = calls(conn, provider)
    orders.record_cancels(conn, {call: CancelAsked()})
    assert cancel_row(conn, order) == ("asked", "", 1)
    assert given.balance(customer) == 900_000
    orders.apply_reports(conn, {tracked: Report(state=U.CANCELLED, word="Canceled", remains=60)})
    assert given.status(customer, order).charge_micros == 40_000
    assert given.balance(customer) == 960_000
    given.assert_books()


def test_a_provider_that_has_been_asked_is_soon_asked_how_the_order_is(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    tracked = given.accepted(provider)
    given.later("3 days")
    orders.apply_reports(conn, {tracked: Report(state=U.IN_PROGRESS, word="In progress", remains=60)})
    cancel(conn, customer, order)
    [call] = calls(conn, provider)
    orders.record_cancels(conn, {call: CancelAsked()})
    given.later("3 days 2 seconds")
    [claimed] = orders.claim_tracking(conn, provider, most=9, lease=LEASE)
    assert claimed.submission_id == tracked.submission_id


def test_a_provider_that_refuses_is_not_asked_again_and_the_order_goes_on(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    tracked = given.accepted(provider)
    cancel(conn, customer, order)
    [call] = calls(conn, provider)
    orders.record_cancels(conn, {call: CancelRefused(text="Too late")})
    assert cancel_row(conn, order) == ("refused", "Too late", 1)
    assert told(conn, customer, order)[-1] == "order.cancel_refused"
    assert cancel(conn, customer, order) == [order]
    given.later("1 day")
    assert calls(conn, provider) == []
    orders.apply_reports(conn, {tracked: Report(state=U.COMPLETED, word="Completed")})
    assert given.status(customer, order).state == "completed"


def test_what_nobody_answered_is_asked_again_ever_more_slowly(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    given.accepted(provider)
    cancel(conn, customer, order)
    for attempt in range(3):
        given.later(f"{attempt} hours")
        [call] = calls(conn, provider)
        assert call.attempt == attempt
        orders.record_cancels(conn, {call: None})
        assert calls(conn, provider) == []
    assert cancel_row(conn, order) == ("waiting", "", 3)


def test_an_answer_to_a_cancel_that_is_settled_changes_nothing(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    given.accepted(provider)
    cancel(conn, customer, order)
    [call] = calls(conn, provider)
    answers: list[CancelAnswer | None] = [CancelAsked(), None, CancelAsked()]
    for answer in answers:
        orders.record_cancels(conn, {call: answer})
    assert cancel_row(conn, order) == ("asked", "", 1)


@pytest.mark.parametrize("end", [U.COMPLETED, U.PARTIAL, U.CANCELLED, U.REFUNDED])
def test_a_finished_order_cannot_be_cancelled(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId, end: UpstreamState
) -> None:
    tracked = given.accepted(provider)
    orders.apply_reports(conn, {tracked: Report(state=end, word=end, remains=30)})
    before = given.balance(customer)
    [answer] = cancel(conn, customer, order)
    assert refused(answer, CannotBeCancelled)
    assert given.balance(customer) == before


def test_a_service_without_cancel_refuses_what_is_under_way_and_cancels_what_is_not(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId
) -> None:
    service = given.service(provider)
    conn.execute("UPDATE services SET cancel = false WHERE id = %s", [service])
    first = given.placed(customer, service)
    given.accepted(provider)
    second = given.placed(customer, service)
    answers = cancel(conn, customer, first, second)
    assert refused(answers[0], CannotBeCancelled)
    assert answers[1] == second
    given.assert_books()


def test_each_order_is_answered_on_its_own_and_nobody_elses_is_found(
    conn: Conn, given: Given, customer: Customer, order: OrderId
) -> None:
    stranger = given.customer("1")
    theirs = given.placed(stranger, given.service())
    nobodys = OrderId(ids.new())
    answers = cancel(conn, customer, theirs, order, nobodys)
    assert refused(answers[0], OrderNotFound)
    assert answers[1] == order
    assert refused(answers[2], OrderNotFound)
    assert given.status(stranger, theirs).state == "pending"


# What comes back after the cancel was asked for


NOTHING_BOUGHT: list[Outcome] = [
    NotSent(text="refused"),
    Postponed(reason=Delay.DUPLICATE_LINK, text="active order with this link"),
    Rejected(reason=Rejection.KEY, text="invalid api key"),
    Rejected(reason=Rejection.FUNDS, text="not enough funds"),
    Rejected(reason=Rejection.SERVICE, text="service not found"),
]


@pytest.mark.parametrize("outcome", NOTHING_BOUGHT, ids=str)
def test_an_order_that_comes_back_unsent_ends_instead_of_being_sent_again(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, outcome: Outcome
) -> None:
    service = given.service(provider)
    given.route(service)
    order = given.placed(customer, service)
    [attempt] = given.attempts(provider)
    assert cancel(conn, customer, order) == [order]
    given.answered(attempt, outcome)
    assert given.status(customer, order).state == "cancelled"
    assert given.balance(customer) == 1_000_000
    assert cancel_row(conn, order)[0] == "over"
    given.assert_books()


def test_a_cancel_of_an_order_with_an_unknown_outcome_waits_until_it_is_known(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    [attempt] = given.attempts(provider)
    given.answered(attempt, Unknown(text="reset"))
    assert cancel(conn, customer, order) == [order]
    assert calls(conn, provider) == []
    assert given.balance(customer) == 900_000
    given.answered(attempt, Accepted(upstream_id="77"))
    [call] = calls(conn, provider)
    assert call.upstream_id == "77"


def test_an_order_that_ends_by_itself_is_not_asked_to_be_cancelled(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    tracked = given.accepted(provider)
    cancel(conn, customer, order)
    orders.apply_reports(conn, {tracked: Report(state=U.COMPLETED, word="Completed")})
    assert calls(conn, provider) == []
    assert cancel_row(conn, order)[0] == "over"


def test_an_order_whose_provider_knows_nothing_of_it_stays_open(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, order: OrderId
) -> None:
    tracked = given.accepted(provider)
    cancel(conn, customer, order)
    orders.apply_reports(conn, {tracked: RowError(text="Incorrect order ID")})
    assert given.status(customer, order).state == "processing"
    assert submission(conn, tracked).due_at is not None


# Races


def test_a_cancel_and_a_claim_at_once_leave_the_order_either_cancelled_or_sent(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        provider, customer = given.provider(), given.customer("100")
        conn.execute("UPDATE providers SET max_in_flight = 1000 WHERE id = %s", [provider])
        service = given.service(provider)
    sent = 0
    for _ in range(40):
        with fresh_pool.transaction() as conn:
            order = Given(conn).placed(customer, service)

        def ask(order: OrderId = order) -> object:
            with fresh_pool.transaction() as conn:
                return cancel(conn, customer, order)

        def claim() -> object:
            with fresh_pool.transaction() as conn:
                return Given(conn).attempts(provider)

        asked, claimed, asked_too = at_once([ask, claim, ask])
        assert asked == asked_too == [order]
        assert isinstance(claimed, list)
        sent += len(claimed)
        with fresh_pool.transaction() as conn:
            assert bool(claimed) == bool(submissions_of(conn, order))
            assert order_row(conn, order, "state") == ("processing" if claimed else "cancelled",)
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        assert given.balance(customer) == 100_000_000 - sent * 100_000
        given.assert_books()


def test_a_cancel_and_an_answer_at_once_lose_neither(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        provider, customer = given.provider(), given.customer("100")
        service = given.service(provider)
    numbers, kept = count(), 0
    outcomes: list[Outcome] = [NotSent(text="down"), Accepted(upstream_id="")]
    for outcome in outcomes * 15:
        with fresh_pool.transaction() as conn:
            order = Given(conn).placed(customer, service)
            [attempt] = Given(conn).attempts(provider)
        told_ = Accepted(upstream_id=f"{next(numbers)}") if isinstance(outcome, Accepted) else outcome

        def ask(order: OrderId = order) -> object:
            with fresh_pool.transaction() as conn:
                return cancel(conn, customer, order)

        def answer(attempt: orders.Attempt = attempt, told_: Outcome = told_) -> object:
            with fresh_pool.transaction() as conn:
                return Given(conn).answered(attempt, told_)

        assert at_once([ask, answer]) == [[order], 1]
        with fresh_pool.transaction() as conn:
            if isinstance(told_, Accepted):
                [call] = calls(conn, provider)
                assert call.order_id == order
                kept += 1
            else:
                assert order_row(conn, order, "state") == ("cancelled",)
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        assert given.balance(customer) == 100_000_000 - kept * 100_000
        given.assert_books()


def test_unknown_ids_are_refused_however_many_are_asked_for(
    conn: Conn, given: Given, customer: Customer
) -> None:
    answers = cancel(conn, customer, *(OrderId(uuid4()) for _ in range(100)))
    assert all(refused(answer, OrderNotFound) for answer in answers)
    assert cancel(conn, customer) == []
