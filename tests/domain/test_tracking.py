"""Following orders: what each report changes, and that money moves only by what is known."""

from datetime import timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import replace
from submissions import now, order_row, submission, told

from given import LEASE, Customer, Given
from panelry import clock
from panelry.database.pool import Conn
from panelry.domain import ids, orders
from panelry.domain.accounts import AccountId
from panelry.domain.catalog import ServiceId
from panelry.domain.money import Micros
from panelry.domain.orders import FINISHED, TRANSITIONS, OrderId, OrderState, Tracked, may_go
from panelry.domain.orders.rules import after_report, next_check, refund_due
from panelry.domain.orders.values import Order
from panelry.domain.providers import Report, RowError, UpstreamState

World = tuple[Customer, OrderId, Tracked]
U = UpstreamState
STATES = list(OrderState)


@pytest.fixture
def world(given: Given) -> World:
    """Return an order of 100 units for 0.10 that was accepted."""
    provider = given.provider()
    customer = given.customer("1")
    order = given.placed(customer, given.service(provider))
    return customer, order, given.accepted(provider)


def said(
    state: UpstreamState | None,
    remains: int | None = None,
    start: int | None = None,
    charge: str | None = None,
) -> Report:
    return Report(
        state=state, word=str(state), remains=remains, start_count=start, charge=None if charge is None else Decimal(charge)
    )  # fmt: skip


def report(conn: Conn, tracked: Tracked, *answers: Report | RowError | None) -> list[int]:
    return [orders.apply_reports(conn, {tracked: answer}) for answer in answers]


# The table of transitions


def test_the_table_says_of_every_state_where_it_may_go_and_ends_lead_nowhere() -> None:
    assert set(TRANSITIONS) == set(OrderState)
    assert {state for state in OrderState if not TRANSITIONS[state]} == FINISHED
    assert not any(may_go(state, state) for state in OrderState)
    reachable = {OrderState.PENDING}.union(*TRANSITIONS.values())
    assert reachable == set(OrderState)


def test_nothing_goes_back_but_what_was_not_sent() -> None:
    backwards = [
        (a, b) for a, b in product(STATES, STATES) if may_go(a, b) and STATES.index(b) < STATES.index(a)
    ]
    assert backwards == [(OrderState.PROCESSING, OrderState.PENDING)]


# One report


@pytest.mark.parametrize(
    ("answer", "state", "refund", "remains"),
    [
        (said(U.PENDING), "processing", 0, 100),
        (said(U.PROCESSING, 60), "processing", 0, 60),
        (said(U.IN_PROGRESS, 60), "in_progress", 0, 60),
        (said(U.IN_PROGRESS, 250), "in_progress", 0, 100),
        (said(U.IN_PROGRESS, -250), "in_progress", 0, 0),
        (said(U.IN_PROGRESS), "in_progress", 0, 100),
        (said(U.COMPLETED), "completed", 0, 0),
        (said(U.COMPLETED, 30), "completed", 0, 30),
        (said(U.COMPLETED, -7), "completed", 0, 0),
        (said(U.PARTIAL, 30), "partial", 30_000, 30),
        (said(U.PARTIAL, 0), "partial", 0, 0),
        (said(U.PARTIAL, -5), "partial", 0, 0),
        (said(U.PARTIAL, 100), "partial", 100_000, 100),
        (said(U.PARTIAL, 999), "partial", 100_000, 100),
        (said(U.PARTIAL), "processing", 0, 100),
        (said(U.CANCELLED, 30), "cancelled", 30_000, 30),
        (said(U.CANCELLED, 100), "cancelled", 100_000, 100),
        (said(U.CANCELLED, 0), "cancelled", 100_000, 100),
        (said(U.CANCELLED), "cancelled", 100_000, 100),
        (said(U.CANCELLED, 0, charge="0.00"), "cancelled", 100_000, 100),
        (said(U.CANCELLED, 0, charge="0.01"), "processing", 0, 100),
        (said(U.CANCELLED, None, charge="0.01"), "processing", 0, 100),
        (said(U.CANCELLED, 30, charge="0.07"), "cancelled", 30_000, 30),
        (said(U.REFUNDED), "refunded", 100_000, 100),
        (said(U.REFUNDED, 0), "refunded", 100_000, 100),
        (said(U.REFUNDED, 40), "refunded", 100_000, 100),
        (said(None, 40), "processing", 0, 100),
        (RowError(text="Incorrect order ID"), "processing", 0, 100),
        (None, "processing", 0, 100),
    ],
)
def test_a_report_moves_the_order_and_the_money_that_it_proves(
    conn: Conn,
    given: Given,
    world: World,
    answer: Report | RowError | None,
    state: str,
    refund: int,
    remains: int,
) -> None:
    customer, order, tracked = world
    changed = report(conn, tracked, answer)
    status = given.status(customer, order)
    assert (status.state, status.remains) == (state, remains)
    assert (status.charge_micros, given.balance(customer)) == (100_000 - refund, 900_000 + refund)
    assert changed == [int((state, remains) != ("processing", 100))]
    assert ("order.refunded" in told(conn, customer, order)) == (refund > 0)
    assert submission(conn, tracked).due_at is not None


def test_the_same_report_again_changes_nothing_and_writes_nothing(
    conn: Conn, given: Given, world: World
) -> None:
    customer, order, tracked = world
    for answer in (said(U.IN_PROGRESS, 60, 1234), said(U.PARTIAL, 30, 1234)):
        assert report(conn, tracked, answer, answer, answer) == [1, 0, 0]
    assert told(conn, customer, order) == [
        "order.created", "order.processing", "order.in_progress", "order.partial", "order.refunded",
    ]  # fmt: skip
    assert given.status(customer, order).start_count == 1234


@pytest.mark.parametrize("end", [U.COMPLETED, U.PARTIAL, U.CANCELLED, U.REFUNDED])
@pytest.mark.parametrize("after", list(U))
def test_a_finished_order_keeps_its_state_and_nothing_is_taken_back(
    conn: Conn, given: Given, world: World, end: UpstreamState, after: UpstreamState
) -> None:
    customer, order, tracked = world
    assert report(conn, tracked, said(end, 30)) == [1]
    before, balance = given.status(customer, order), given.balance(customer)
    report(conn, tracked, said(after, 20), said(after, 0, charge="0.01"), said(after, 30))
    assert given.status(customer, order).state == before.state
    failed_after_all = after is U.REFUNDED and end in {U.PARTIAL, U.CANCELLED}
    assert given.balance(customer) == (1_000_000 if failed_after_all else balance)
    given.assert_books()


@pytest.mark.parametrize("end", [U.PARTIAL, U.CANCELLED])
def test_a_provider_that_corrects_what_remains_pays_back_the_difference_and_never_takes_any(
    conn: Conn, given: Given, world: World, end: UpstreamState
) -> None:
    customer, order, tracked = world
    report(conn, tracked, said(end, 30), said(end, 70), said(end, 70), said(end, 50), said(end, 71))
    status = given.status(customer, order)
    assert (status.state, status.remains, status.charge_micros) == (str(end), 71, 29_000)
    assert given.balance(customer) == 971_000
    assert told(conn, customer, order)[-3:] == ["order.refunded"] * 3
    given.assert_books()


def test_what_a_completed_order_loses_later_is_shown_and_costs_nobody_anything(
    conn: Conn, given: Given, world: World
) -> None:
    customer, order, tracked = world
    assert report(conn, tracked, said(U.COMPLETED, 0), said(U.COMPLETED, 20), said(U.COMPLETED, 20)) == [
        1,
        1,
        0,
    ]
    status = given.status(customer, order)
    assert (status.state, status.remains, status.charge_micros) == ("completed", 20, 100_000)
    assert told(conn, customer, order)[-1] == "order.completed"


@pytest.mark.parametrize("after", [U.IN_PROGRESS, U.PENDING, U.PARTIAL, U.CANCELLED])
def test_a_provider_that_takes_back_the_end_is_shown_to_staff_once(
    conn: Conn, given: Given, world: World, after: UpstreamState
) -> None:
    tracked = world[2]
    report(conn, tracked, said(U.COMPLETED, 0))
    before = len(submission(conn, tracked).notes)
    report(conn, tracked, *[said(after, 40)] * 3)
    assert submission(conn, tracked).notes[before:] == [
        f"the order is completed, the provider now says '{after}'"
    ]


def test_a_provider_that_goes_backwards_is_not_followed(conn: Conn, given: Given, world: World) -> None:
    customer, order, tracked = world
    report(conn, tracked, said(U.IN_PROGRESS, 60), said(U.PROCESSING, 50), said(U.PENDING, 55))
    status = given.status(customer, order)
    assert (status.state, status.remains) == ("in_progress", 55)
    assert told(conn, customer, order)[-1] == "order.in_progress"


@pytest.mark.parametrize("start", [None, -5, 2**63 - 1])
def test_a_start_count_is_kept_as_a_number_from_zero_up(
    conn: Conn, given: Given, world: World, start: int | None
) -> None:
    customer, order, tracked = world
    report(conn, tracked, said(U.IN_PROGRESS, 60, 7), said(U.IN_PROGRESS, 50, start))
    assert given.status(customer, order).start_count == (7 if start is None else max(start, 0))


def test_what_a_provider_says_it_charges_is_kept_and_corrected(conn: Conn, world: World) -> None:
    tracked = world[2]
    query = "SELECT charged_micros FROM provider_costs WHERE submission_id = %s"
    charged = []
    for charge in ("0.5", None, "0.0000001", str(10**30)):
        report(conn, tracked, said(U.IN_PROGRESS, 60, charge=charge))
        charged.append(conn.execute(query, [tracked.submission_id]).fetchall()[0][0])
    assert charged == [500_000, 500_000, 1, 9 * 10**18]


# When to ask again, and what staff see


def test_what_needs_a_person_is_noted_once_however_often_it_is_said(conn: Conn, world: World) -> None:
    tracked = world[2]
    before = len(submission(conn, tracked).notes)
    report(conn, tracked, *[said(U.PARTIAL)] * 3)
    row = submission(conn, tracked)
    assert row.notes[before:] == ["'partial' came without counts that say what was delivered"]
    assert row.due_at is not None
    assert row.due_at > now(conn)


def test_an_answer_that_is_missing_or_an_error_is_asked_for_ever_more_slowly_and_a_good_one_at_once(
    conn: Conn, world: World
) -> None:
    tracked = world[2]
    waits = []
    for answer in [None, RowError(text="e")] * 6:
        report(conn, tracked, answer)
        due = submission(conn, tracked).due_at
        assert due is not None
        waits.append((due - now(conn)).total_seconds())
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600]
    report(conn, tracked, said(U.IN_PROGRESS, 5))
    row = submission(conn, tracked)
    assert row.attempt == 0
    assert row.due_at == now(conn) + timedelta(seconds=1)


AGES = st.timedeltas(timedelta(-1), timedelta(days=4000))


@for_all(AGES, st.timedeltas(timedelta(0), timedelta(days=9)), st.booleans())
def test_the_older_an_order_the_less_often_it_is_asked_about(
    age: timedelta,
    more: timedelta,
    wants_cancel: bool,  # noqa: FBT001 (Hypothesis says)
) -> None:
    order = an_order(100, 0, cancel_requested=wants_cancel)
    longest = timedelta(minutes=1) if wants_cancel else timedelta(minutes=30)
    waits = [wait_after(order, a) for a in (age, age + more)]
    assert timedelta(seconds=1) <= waits[0] <= waits[1] <= longest


def test_orders_are_followed_as_often_as_promised() -> None:
    order = an_order(100, 0)
    seconds = [
        wait_after(order, timedelta(seconds=age)).total_seconds()
        for age in (0, 0.9, 1, 30, 59.9, 60, 600, 36_000, 10**8)
    ]
    assert seconds == [1, 1, 2, 2, 2, 3, 30, 1800, 1800]


def test_finished_orders_are_watched_for_a_week_ever_more_seldom() -> None:
    order = an_order(100, 0)
    now_, asked = order.created_at, 0
    finished = replace(order, finished_at=now_)
    while wait := next_check(finished, sent_at=now_, now=now_, is_over=True):
        assert timedelta(seconds=5) <= wait <= timedelta(days=1)
        now_ += wait
        asked += 1
    assert timedelta(days=7) < now_ - order.created_at <= timedelta(days=8)
    assert asked < 40


def test_an_order_is_claimed_for_a_question_once_in_a_lease_and_no_more_a_week_after_its_end(
    conn: Conn, given: Given, world: World
) -> None:
    _, _, tracked = world

    def due() -> list[str]:
        return [t.upstream_id for t in orders.claim_tracking(conn, tracked.provider_id, most=10, lease=LEASE)]

    assert due() == []
    given.later("1 second")
    assert (due(), due()) == ([tracked.upstream_id], [])
    given.later("61 seconds")
    assert due() == [tracked.upstream_id]
    report(conn, tracked, said(U.COMPLETED))
    given.later("2 minutes")
    assert due() == [tracked.upstream_id]
    given.later("8 days")
    report(conn, tracked, said(U.COMPLETED))
    given.later("1 year")
    assert due() == []


def test_a_provider_that_tells_nothing_for_more_than_an_hour_is_shown_to_staff_once(
    conn: Conn, world: World
) -> None:
    tracked = world[2]
    report(conn, tracked, *[RowError(text="Incorrect order ID")] * 20)
    notes = submission(conn, tracked).notes
    assert notes[-2:] == [
        "Incorrect order ID",
        "for more than an hour the provider has told nothing about it: Incorrect order ID",
    ]


def test_a_paused_providers_orders_are_still_followed(conn: Conn, given: Given, world: World) -> None:
    conn.execute("UPDATE providers SET state = 'paused' WHERE id = %s", [world[2].provider_id])
    given.later("1 second")
    assert len(orders.claim_tracking(conn, world[2].provider_id, most=10, lease=LEASE)) == 1


def test_reports_about_what_was_not_accepted_are_dropped(conn: Conn, given: Given) -> None:
    customer, provider = given.customer("1"), given.provider()
    order = given.placed(customer, given.service(provider))
    [attempt] = given.attempts(provider)
    tracked = Tracked(
        submission_id=attempt.submission_id,
        account_id=attempt.account_id,
        provider_id=provider,
        upstream_id="x",
    )
    assert report(conn, tracked, said(U.COMPLETED), said(U.CANCELLED)) == [0, 0]
    assert given.status(customer, order).state == "processing"
    assert orders.apply_reports(conn, {}) == 0


def test_the_end_of_an_order_is_dated(conn: Conn, world: World) -> None:
    _, order, tracked = world
    assert order_row(conn, order, "finished_at") == (None,)
    report(conn, tracked, said(U.COMPLETED))
    assert order_row(conn, order, "finished_at") == (now(conn),)


# Any reports in any order


REPORTS = st.builds(
    said,
    st.none() | st.sampled_from(list(U)),
    st.none() | st.integers(-300, 300),
    st.none() | st.integers(-5, 10**9),
    st.none() | st.sampled_from(["0", "0.1", "5"]),
)


@for_all(st.lists(REPORTS, max_size=12), st.integers(0, 10**9), st.integers(1, 200))
def test_any_reports_in_any_order_refund_once_never_shrink_and_never_exceed_the_charge(
    reports: list[Report], charge: int, quantity: int
) -> None:
    order = an_order(quantity, charge)
    for answer in reports:
        change = after_report(order, answer)
        if change is None:
            continue
        assert change.to is order.state or may_go(order.state, change.to)
        assert 0 <= change.remains <= quantity
        assert change.refund_micros >= 0
        refunded = order.refunded_micros + change.refund_micros
        assert refunded <= charge
        if change.refund_micros:
            assert refunded == refund_due(charge=Micros(charge), quantity=quantity, remains=change.remains)
        order = replace(
            order, refunded_micros=Micros(refunded), state=change.to, start_count=change.start_count, remains=change.remains
        )  # fmt: skip
        assert (order.refunded_micros == 0) or order.state in FINISHED


def an_order(quantity: int, charge: int, *, cancel_requested: bool = False) -> Order:
    return Order(
        id=OrderId(ids.new()), account_id=AccountId(ids.new()), service_id=ServiceId(1), type="Default", quantity=quantity,
        charge_micros=Micros(charge), refunded_micros=Micros(0), state=OrderState.PROCESSING, sequence=2, start_count=0,
        remains=quantity, attempt=0, created_at=clock.now(), cancel_requested=cancel_requested,
    )  # fmt: skip


def wait_after(order: Order, age: timedelta) -> timedelta:
    wait = next_check(order, sent_at=order.created_at, now=order.created_at + age, is_over=False)
    assert wait is not None
    return wait
