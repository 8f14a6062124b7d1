"""Who gets a refill: the eligible, within the period, up to the cap, one at a time; and never for money."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from msgspec import structs
from refilling import answered, ask, refilled, row, told, wanted, why
from submissions import now

from given import LEASE, Customer, Given, draft, upstream_service
from panelry import clock
from panelry.database.pool import Conn
from panelry.domain import ids, orders, refills
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import OrderId, OrderNotFound, OrderState, Placed
from panelry.domain.providers import (
    ProviderId,
    RefillRefused,
    RefillReport,
    RefillState,
    RefillTaken,
    Report,
    UpstreamState,
)
from panelry.domain.refills import (
    OrderNotEligible,
    RefillAlreadyPending,
    RefillId,
    RefillLimitReached,
    RefillPeriodExpired,
    RefillUnavailable,
)
from panelry.domain.refills.rules import decide
from panelry.domain.refills.values import Candidate
from panelry.domain.refusals import Refusal

U = UpstreamState
DONE = RefillReport(state=RefillState.COMPLETED, word="Completed")
NO = RefillRefused(text="we do not refill this")


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer("10")


@pytest.fixture
def service(given: Given) -> ServiceId:
    return given.service()


@pytest.fixture
def order(given: Given, customer: Customer, service: ServiceId) -> OrderId:
    """Return an order of 100 units that was completed just now."""
    return given.ended(customer, service)


def terms(conn: Conn, service: ServiceId, **terms: object) -> None:
    for column, value in terms.items():
        query = f"UPDATE services SET {column} = %s WHERE id = %s"  # noqa: S608 (constants)
        conn.execute(query.encode(), [value, service])


def done(conn: Conn, refill: RefillId) -> None:
    answered(conn, refill, RefillTaken(upstream_id="7"), DONE)


# Who may have one


@pytest.mark.parametrize(
    ("state", "remains", "refused"),
    [
        (U.COMPLETED, 0, None),
        (U.COMPLETED, 20, None),
        (U.COMPLETED, 100, None),
        (U.PARTIAL, 60, None),
        (U.PARTIAL, 100, OrderNotEligible),
        (U.PROCESSING, 60, OrderNotEligible),
        (U.IN_PROGRESS, 60, OrderNotEligible),
        (U.CANCELLED, 60, OrderNotEligible),
        (U.REFUNDED, 0, OrderNotEligible),
    ],
)
def test_what_was_delivered_is_refilled_and_nothing_else(
    given: Given,
    customer: Customer,
    service: ServiceId,
    state: UpstreamState,
    remains: int,
    refused: type[Refusal] | None,
) -> None:
    order = given.ended(customer, service, state, remains)
    assert [why(answer) for answer in ask(given, customer, order)] == [refused]


def test_an_order_that_was_not_sent_is_not_refilled(
    given: Given, customer: Customer, service: ServiceId
) -> None:
    assert why(ask(given, customer, given.placed(customer, service))[0]) is OrderNotEligible


def test_only_its_owner_gets_a_refill_of_an_order(given: Given, customer: Customer, order: OrderId) -> None:
    nobodys = OrderId(ids.new())
    assert [why(a) for a in ask(given, given.customer(), order, nobodys)] == [OrderNotFound] * 2
    assert [why(a) for a in ask(given, customer, nobodys, order)] == [OrderNotFound, None]


def test_the_terms_are_those_that_the_service_has_now(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, order: OrderId
) -> None:
    terms(conn, service, refill=False)
    assert why(ask(given, customer, order)[0]) is RefillUnavailable
    terms(conn, service, refill=True, refill_most=0)
    assert why(ask(given, customer, order)[0]) is RefillLimitReached
    terms(conn, service, refill_most=1, state="off_sale")
    assert why(ask(given, customer, order)[0]) is None


def test_reasons_are_looked_at_in_the_order_in_which_they_are_documented(customer: Customer) -> None:
    at = clock.now()
    wish = wanted(customer, OrderId(ids.new()))
    candidate = Candidate(
        state=OrderState.COMPLETED, is_single=False, has_delivered=True, finished_at=at - timedelta(days=2),
        has_refill=False, refill_days=1, refill_most=1, bought_at=(ProviderId(1), "17"), refills=1, is_pending=True,
    )  # fmt: skip

    def judged(candidate: Candidate | None) -> type[Refusal] | None:
        found = {} if candidate is None else {(wish.account_id, wish.order_id): candidate}
        return why(decide([wish], found, at=at)[0])

    reasons = [judged(None), judged(candidate)]
    for mended in (
        {"is_single": True}, {"has_refill": True}, {"refill_days": 2}, {"refill_most": 2}, {"is_pending": False},
    ):  # fmt: skip
        candidate = replace(candidate, **mended)
        reasons.append(judged(candidate))
    assert reasons == [
        OrderNotFound, OrderNotEligible, RefillUnavailable, RefillPeriodExpired, RefillLimitReached,
        RefillAlreadyPending, None,
    ]  # fmt: skip


def test_a_drip_feed_is_not_refilled_as_a_whole_but_its_runs_are(
    conn: Conn, given: Given, customer: Customer
) -> None:
    provider = given.provider()
    service = given.service(provider)
    terms(conn, service, dripfeed=True)
    [placed] = orders.place(conn, [draft(customer, service, runs="2", interval="10")])
    assert isinstance(placed, Placed)
    for wait in ("0", "20 minutes"):
        given.later(wait)
        assert orders.make_runs(conn, most=1000) >= 1
        report = Report(state=U.COMPLETED, word="Completed", remains=0)
        orders.apply_reports(conn, {given.accepted(provider): report})
    assert given.status(customer, placed.order_id).state == "completed"
    query = "SELECT id FROM orders WHERE parent_id = %s"
    runs = [OrderId(id_) for [id_] in conn.execute(query, [placed.order_id]).fetchall()]
    answers = ask(given, customer, placed.order_id, *runs)
    assert list(map(why, answers)) == [OrderNotEligible, None, None]


def test_a_subscription_is_not_refilled(conn: Conn, given: Given, customer: Customer) -> None:
    provider = given.provider()
    [service] = given.services(provider, [upstream_service(type_="Subscriptions")])
    wish = {"username": "somebody", "min": "10", "max": "20", "posts": "2", "delay": "0"}
    drafted = structs.replace(draft(customer, service), parameters=wish)
    [placed] = orders.place(conn, [drafted])
    assert isinstance(placed, Placed), placed
    report = Report(state=U.COMPLETED, word="Completed", posts_done=2)
    orders.apply_reports(conn, {given.accepted(provider): report})
    assert given.status(customer, placed.order_id).state == "completed"
    assert why(ask(given, customer, placed.order_id)[0]) is OrderNotEligible


def test_the_period_ends_by_the_databases_clock(given: Given, customer: Customer, order: OrderId) -> None:
    given.later("720 hours")
    refilled(given, customer, order)
    given.later("720 hours 1 second")
    assert why(ask(given, customer, order)[0]) is RefillPeriodExpired


def test_a_period_of_no_days_is_over_at_once(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, order: OrderId
) -> None:
    terms(conn, service, refill_days=0)
    given.later("1 second")
    assert why(ask(given, customer, order)[0]) is RefillPeriodExpired


def test_an_order_is_refilled_so_many_times_and_no_more(
    conn: Conn, given: Given, customer: Customer, order: OrderId
) -> None:
    for _ in range(3):
        done(conn, refilled(given, customer, order))
    assert why(ask(given, customer, order)[0]) is RefillLimitReached


def test_what_was_rejected_does_not_count(
    conn: Conn, given: Given, customer: Customer, order: OrderId
) -> None:
    for _ in range(5):
        answered(conn, refilled(given, customer, order), NO)
    for _ in range(3):
        done(conn, refilled(given, customer, order))
    assert why(ask(given, customer, order)[0]) is RefillLimitReached


@pytest.mark.parametrize("answers", [(), (RefillTaken(upstream_id="7"),), (RefillTaken(upstream_id=None),)])
def test_there_is_one_at_a_time(
    conn: Conn, given: Given, customer: Customer, order: OrderId, answers: tuple[RefillTaken, ...]
) -> None:
    answered(conn, refilled(given, customer, order), *answers)
    assert why(ask(given, customer, order)[0]) is RefillAlreadyPending


def test_in_one_call_each_order_is_judged_on_its_own_and_the_same_one_is_refilled_once(
    given: Given, customer: Customer, service: ServiceId
) -> None:
    good, other, running = (
        given.ended(customer, service),
        given.ended(customer, service),
        given.placed(customer, service),
    )
    answers = ask(given, customer, good, running, good, other)
    assert list(map(why, answers)) == [None, OrderNotEligible, RefillAlreadyPending, None]


def test_wishing_again_under_the_same_id_is_wishing_once(
    conn: Conn, given: Given, customer: Customer, order: OrderId
) -> None:
    wish = wanted(customer, order)
    for _ in range(2):
        assert refills.request(conn, [wish], actor="customer") == [wish.id]
    answered(conn, wish.id, NO)
    given.later("1 year")
    assert refills.request(conn, [wish], actor="customer") == [wish.id]
    assert [event for event, _, _ in told(conn, customer.account, wish.id)] == [
        "refill.created",
        "refill.rejected",
    ]


def test_somebody_elses_refill_is_not_taken_for_the_one_that_is_wished_for(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, order: OrderId
) -> None:
    mine = refilled(given, customer, order)
    stranger = given.customer("1")
    wish = refills.Wanted(id=mine, account_id=stranger.account, order_id=order)
    assert why(refills.request(conn, [wish], actor="customer")[0]) is OrderNotFound


def test_nothing_is_asked_where_nobody_wishes(conn: Conn) -> None:
    assert refills.request(conn, [], actor="customer") == []
    assert refills.record(conn, {}) == 0
    assert refills.states(conn, []) == []


# What is written


def test_a_refill_is_due_at_once_where_the_order_was_bought(
    conn: Conn, given: Given, customer: Customer
) -> None:
    provider = given.provider()
    order = given.ended(customer, given.service(provider))
    refill = refilled(given, customer, order)
    assert refills.due(conn) >= {provider}
    [call] = refills.claim(conn, provider, most=10, lease=LEASE)
    query = "SELECT upstream_id FROM submissions WHERE order_id = %s"
    [[bought_as]] = conn.execute(query, [order]).fetchall()
    assert (call.id, call.upstream_order, call.question) == (refill, bought_as, "refill")
    assert provider not in refills.due(conn)


def test_asking_and_ending_are_told_with_the_order_they_are_about(
    conn: Conn, given: Given, customer: Customer, order: OrderId
) -> None:
    about = {"order": ids.show(ids.ORDER, order)}
    refill = refilled(given, customer, order)
    assert told(conn, customer.account, refill) == [
        ("refill.created", "customer", about | {"status": "pending"})
    ]
    answered(conn, refill, RefillTaken(upstream_id="7"))
    assert len(told(conn, customer.account, refill)) == 1
    answered(conn, refill, DONE)
    assert told(conn, customer.account, refill)[1:] == [
        ("refill.completed", "engine", about | {"status": "completed"})
    ]
    again = refilled(given, customer, order)
    answered(conn, again, NO)
    assert told(conn, customer.account, again)[1:] == [
        ("refill.rejected", "engine", about | {"status": "rejected"})
    ]


def test_what_is_refused_leaves_no_trace(
    conn: Conn, given: Given, customer: Customer, service: ServiceId
) -> None:
    order = given.placed(customer, service)
    assert why(ask(given, customer, order)[0]) is OrderNotEligible
    assert refills.of_order(conn, customer.account, order) == []


def test_no_money_moves_for_a_refill(given: Given, customer: Customer, order: OrderId) -> None:
    before = given.balance(customer)
    done(given.conn, refilled(given, customer, order))
    answered(given.conn, refilled(given, customer, order), NO)
    assert given.balance(customer) == before
    assert given.status(customer, order).state == "completed"
    given.assert_books()


def test_the_database_itself_refuses_a_second_open_refill(
    conn: Conn, given: Given, customer: Customer, order: OrderId
) -> None:
    refill = refilled(given, customer, order)
    with pytest.raises(psycopg.errors.UniqueViolation, match="refill_is_the_only_open_one"):
        conn.execute(
            "INSERT INTO refills (account_id, id, order_id, provider_id, upstream_order, state, due_at, created_at)"
            " SELECT account_id, %s, order_id, provider_id, upstream_order, 'in_progress', due_at, created_at"
            " FROM refills WHERE id = %s",
            [ids.new(), refill],
        )


# What is told


def test_each_caller_sees_its_own_refills(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, order: OrderId
) -> None:
    first, second = (
        refilled(given, customer, order),
        refilled(given, customer, given.ended(customer, service)),
    )
    answered(conn, second, RefillTaken(upstream_id="7"))
    stranger, both = given.customer(), [first, second, RefillId(ids.new())]
    asked = [(customer.account, both), (stranger.account, both), (customer.account, [second])]
    assert refills.states(conn, asked) == [
        {first: "pending", second: "in_progress"}, {}, {second: "in_progress"}
    ]  # fmt: skip


def test_staff_see_all_refills_of_an_order_and_what_the_provider_said(
    conn: Conn, given: Given, customer: Customer, order: OrderId
) -> None:
    first = refilled(given, customer, order)
    answered(conn, first, NO)
    second = refilled(given, customer, order)
    answered(conn, second, RefillTaken(upstream_id="7"))
    shown = refills.of_order(conn, customer.account, order)
    seen = [(r["refill"], r["state"], r["upstream_id"], r["message"]) for r in shown]
    assert seen == [
        (ids.show(ids.REFILL, first), "rejected", None, "we do not refill this"),
        (ids.show(ids.REFILL, second), "in_progress", "7", ""),
    ]
    assert [r["finished_at"] for r in shown] == [now(conn).isoformat(), None]
    assert row(conn, first).finished_at == now(conn)
