"""What providers answer about refills: each ends or is asked about again, never both, and is told of once."""

from collections.abc import Sequence
from datetime import timedelta

import psycopg
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from refilling import Row, answered, claimed, refilled, row, told
from submissions import now

from given import LEASE, Customer, Given
from panelry.database.pool import Conn, Pool
from panelry.domain import refills
from panelry.domain.providers import (
    ProviderId,
    RefillOpen,
    RefillRefused,
    RefillReport,
    RefillState,
    RefillTaken,
    Report,
    RowError,
    UpstreamState,
)
from panelry.domain.refills import Answer, NoAnswer, Question, RefillId
from panelry.domain.refills.rules import next_question

S = RefillState
DOWN = NoAnswer(text="the provider is down")
NAMED, NAMELESS = RefillTaken(upstream_id="7"), RefillTaken(upstream_id=None)


def says(state: RefillState | None) -> RefillReport:
    return RefillReport(state=state, word=str(state))


def order_is(state: UpstreamState | None, remains: int | None = None) -> Report:
    return Report(state=state, word=str(state), remains=remains)


@pytest.fixture
def provider(given: Given) -> ProviderId:
    return given.provider()


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer("1")


@pytest.fixture
def refill(given: Given, provider: ProviderId, customer: Customer) -> RefillId:
    """Return a refill that was asked for just now."""
    return refilled(given, customer, given.ended(customer, given.service(provider)))


def wait(conn: Conn, refill: RefillId) -> float | None:
    """Return the seconds until a refill is due; `None` where it has ended."""
    due_at = row(conn, refill).due_at
    return None if due_at is None else (due_at - now(conn)).total_seconds()


# One answer


@pytest.mark.parametrize(
    ("before", "answer", "state", "message", "seconds"),
    [
        ([], NAMED, S.IN_PROGRESS, "", 1),
        ([], NAMELESS, S.IN_PROGRESS, "", 1),
        ([], RefillOpen(text="already refilling"), S.IN_PROGRESS, "", 1),
        ([DOWN], RefillOpen(text="already refilling"), S.IN_PROGRESS, "", 1),
        ([], RefillRefused(text="not dropped"), S.REJECTED, "not dropped", None),
        ([], DOWN, S.PENDING, "the provider is down", 2),
        ([NAMED], says(S.PENDING), S.IN_PROGRESS, "", 1),
        ([NAMED], says(S.IN_PROGRESS), S.IN_PROGRESS, "", 1),
        ([NAMED, DOWN, DOWN], says(S.IN_PROGRESS), S.IN_PROGRESS, "", 1),
        ([NAMED], says(S.COMPLETED), S.COMPLETED, "", None),
        ([NAMED], says(S.REJECTED), S.REJECTED, "the provider says 'rejected'", None),
        ([NAMED], says(None), S.IN_PROGRESS, "the provider's word 'None' is not known", 2),
        ([NAMED], RowError(text="Incorrect refill"), S.IN_PROGRESS, "Incorrect refill", 2),
        ([NAMED], DOWN, S.IN_PROGRESS, "the provider is down", 2),
        ([NAMELESS], order_is(UpstreamState.COMPLETED), S.COMPLETED, "", None),
        ([NAMELESS], order_is(UpstreamState.COMPLETED, 0), S.COMPLETED, "", None),
        ([NAMELESS], order_is(UpstreamState.COMPLETED, -3), S.COMPLETED, "", None),
        ([NAMELESS], order_is(UpstreamState.COMPLETED, 1), S.IN_PROGRESS, "", 1),
        ([NAMELESS], order_is(UpstreamState.PARTIAL, 0), S.IN_PROGRESS, "", 1),
        ([NAMELESS], order_is(UpstreamState.IN_PROGRESS, 0), S.IN_PROGRESS, "", 1),
        ([NAMELESS], order_is(None, 0), S.IN_PROGRESS, "the provider's word 'None' is not known", 2),
        ([NAMELESS], RowError(text="Incorrect order ID"), S.IN_PROGRESS, "Incorrect order ID", 2),
        ([NAMELESS], DOWN, S.IN_PROGRESS, "the provider is down", 2),
    ],
)  # fmt: skip
def test_an_answer_says_how_the_refill_goes_on(
    conn: Conn,
    refill: RefillId,
    before: list[Answer],
    answer: Answer,
    state: RefillState,
    message: str,
    seconds: float | None,
) -> None:
    answered(conn, refill, *before, answer)
    found = row(conn, refill)
    assert (found.state, found.message, wait(conn, refill)) == (state, message, seconds)
    assert (found.finished_at is None) == (found.due_at is not None)
    assert found.upstream_id == ("7" if NAMED in [*before, answer] else None)


@pytest.mark.parametrize(
    ("answers", "question", "name"),
    [
        ([], Question.REFILL, None),
        ([DOWN], Question.REFILL, None),
        ([NAMED], Question.PROGRESS, "7"),
        ([NAMED, RowError(text="e")], Question.PROGRESS, "7"),
        ([NAMELESS], Question.ORDER, None),
        ([RefillOpen(text="open")], Question.ORDER, None),
    ],
)
def test_what_is_asked_next_depends_on_what_the_provider_has_said(
    conn: Conn, refill: RefillId, answers: list[Answer], question: Question, name: str | None
) -> None:
    answered(conn, refill, *answers)
    due = claimed(conn, refill)
    assert (due.question, due.upstream_id) == (question, name)


def test_a_text_of_any_length_is_kept_as_far_as_it_is_useful(conn: Conn, refill: RefillId) -> None:
    answered(conn, refill, RefillRefused(text="no" * 10_000))
    assert row(conn, refill).message == "no" * 500


# How often, and for how long


def test_a_refill_is_followed_as_often_as_promised(conn: Conn, given: Given, refill: RefillId) -> None:
    answered(conn, refill, NAMED)
    waits = []
    for age in ("0", "1 second", "59 seconds", "1 minute", "10 minutes", "5 hours", "10 days"):
        given.later(age)
        answered(conn, refill, says(S.IN_PROGRESS))
        waits.append(wait(conn, refill))
    assert waits == [1, 2, 2, 3, 30, 900, 1800]


def test_a_refill_that_was_taken_late_is_asked_about_at_once(
    conn: Conn, given: Given, refill: RefillId
) -> None:
    given.later("5 hours")
    answered(conn, refill, NAMED)
    assert wait(conn, refill) == 1


@pytest.mark.parametrize("before", [[], [NAMED], [NAMELESS]])
def test_a_provider_that_does_not_answer_is_asked_ever_more_slowly(
    conn: Conn, refill: RefillId, before: list[Answer]
) -> None:
    answered(conn, refill, *before)
    waits = []
    for _ in range(11):
        answered(conn, refill, DOWN)
        waits.append(wait(conn, refill))
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]


def test_what_nobody_takes_on_for_a_day_is_rejected(conn: Conn, given: Given, refill: RefillId) -> None:
    seconds = 0.0
    while (due_in := wait(conn, refill)) is not None:
        seconds += due_in
        given.later(f"{seconds} seconds")
        answered(conn, refill, DOWN)
    assert timedelta(hours=24) <= timedelta(seconds=seconds) < timedelta(hours=24, minutes=10)
    assert (row(conn, refill).state, row(conn, refill).message) == (
        "rejected",
        "given up: the provider is down",
    )


def test_a_day_in_which_no_engine_ran_is_not_held_against_a_refill(
    conn: Conn, given: Given, refill: RefillId
) -> None:
    given.later("3 days")
    answered(conn, refill, DOWN)
    assert row(conn, refill).state == "pending"


@pytest.mark.parametrize("taken", [NAMED, NAMELESS])
@pytest.mark.parametrize(
    "answer", [DOWN, RowError(text="Incorrect refill"), says(S.IN_PROGRESS), says(None), order_is(None)]
)
def test_what_has_not_ended_after_two_weeks_is_rejected(
    conn: Conn, given: Given, refill: RefillId, taken: RefillTaken, answer: Answer
) -> None:
    answered(conn, refill, taken)
    given.later("336 hours")
    answered(conn, refill, answer)
    assert row(conn, refill).state == "in_progress"
    given.later("336 hours 1 second")
    answered(conn, refill, answer)
    assert (row(conn, refill).state, wait(conn, refill)) == ("rejected", None)


def test_an_end_counts_even_when_it_is_told_late(conn: Conn, given: Given, refill: RefillId) -> None:
    answered(conn, refill, NAMED)
    given.later("1 year")
    answered(conn, refill, says(S.COMPLETED))
    assert row(conn, refill).state == "completed"


# Leases, and answers that come too late


def test_a_refill_is_claimed_once_in_a_lease_and_again_when_its_worker_was_killed(
    conn: Conn, given: Given, provider: ProviderId, refill: RefillId
) -> None:
    def due() -> list[RefillId]:
        return [one.id for one in refills.claim(conn, provider, most=10, lease=LEASE)]

    assert (due(), due()) == ([refill], [])
    given.later("59 seconds")
    assert (due(), refills.due(conn) & {provider}) == ([], frozenset())
    given.later("60 seconds")
    assert (refills.due(conn) & {provider}, due()) == ({provider}, [refill])


def test_what_has_ended_is_never_asked_about_again(
    conn: Conn, given: Given, provider: ProviderId, refill: RefillId
) -> None:
    answered(conn, refill, NAMED, says(S.COMPLETED))
    given.later("1 year")
    assert refills.claim(conn, provider, most=10, lease=LEASE) == []


def test_refills_at_a_paused_provider_are_followed_all_the_same(
    conn: Conn, provider: ProviderId, refill: RefillId
) -> None:
    conn.execute("UPDATE providers SET state = 'paused' WHERE id = %s", [provider])
    assert provider in refills.due(conn)
    assert [one.id for one in refills.claim(conn, provider, most=10, lease=LEASE)] == [refill]


@pytest.mark.parametrize("late", [NAMED, RefillRefused(text="no"), DOWN, RefillOpen(text="open")])
@pytest.mark.parametrize(
    "before", [[RefillRefused(text="we do not")], [NAMED, says(S.COMPLETED)], [NAMED, says(S.REJECTED)]]
)
def test_an_answer_after_the_end_changes_nothing(
    conn: Conn, customer: Customer, refill: RefillId, before: list[Answer], late: Answer
) -> None:
    slow = claimed(conn, refill)
    answered(conn, refill, *before)
    found, timeline = row(conn, refill), told(conn, customer.account, refill)
    assert refills.record(conn, {slow: late}) == 0
    assert (row(conn, refill), told(conn, customer.account, refill)) == (found, timeline)


@pytest.mark.parametrize("late", [RefillTaken(upstream_id="8"), RefillRefused(text="no"), DOWN])
def test_the_slower_of_two_answers_to_the_same_question_changes_nothing(
    conn: Conn, refill: RefillId, late: Answer
) -> None:
    slow = claimed(conn, refill)
    answered(conn, refill, NAMED)
    before = row(conn, refill)
    assert refills.record(conn, {slow: late}) == 0
    assert row(conn, refill) == before


def test_a_name_that_comes_late_is_still_the_refills_name(conn: Conn, refill: RefillId) -> None:
    slow = claimed(conn, refill)
    answered(conn, refill, RefillOpen(text="open"))
    look = claimed(conn, refill)
    assert refills.record(conn, {slow: NAMED}) == 1
    assert row(conn, refill).upstream_id == "7"
    assert claimed(conn, refill).question is Question.PROGRESS
    assert refills.record(conn, {look: order_is(UpstreamState.COMPLETED)}) == 0, "asked before it had a name"


# Any answers in any order


def answers_to(question: Question) -> st.SearchStrategy[Answer]:
    faults: st.SearchStrategy[Answer] = st.sampled_from([DOWN, RowError(text="Incorrect ID")])
    match question:
        case Question.REFILL:
            texts = st.sampled_from([RefillOpen(text="open"), RefillRefused(text="no"), NAMED, NAMELESS])
            return texts | st.just(DOWN)
        case Question.PROGRESS:
            return st.none().map(says) | st.sampled_from(list(S)).map(says) | faults
        case Question.ORDER:
            states = st.none() | st.sampled_from(list(UpstreamState))
            return st.builds(order_is, states, st.none() | st.integers(-5, 200)) | faults


def check(conn: Conn, customer: Customer, refill: RefillId, asked: Sequence[Row]) -> bool:
    """Hold a refill against the laws; return whether it has ended."""
    found = row(conn, refill)
    is_over = found.state in {"completed", "rejected"}
    assert (found.due_at is None) == (found.finished_at is not None) == is_over
    assert is_over or (found.due_at is not None and found.due_at > now(conn))
    end = [f"refill.{found.state}"] if is_over else []
    assert [event for event, _, _ in told(conn, customer.account, refill)] == ["refill.created", *end]
    states = [one.state for one in [*asked, found]]
    assert states == sorted(states, key=["pending", "in_progress", "completed", "rejected"].index)
    return is_over


@settings(deadline=None)
@for_all(st.data())
def test_any_answers_in_any_order_end_a_refill_or_have_it_asked_about_again_and_move_no_money(
    pool: Pool, data: st.DataObject
) -> None:
    with pool.transaction() as conn:
        given = Given(conn)
        customer, provider = given.customer("1"), given.provider()
        order = given.ended(customer, given.service(provider))
        refill = refilled(given, customer, order)
        balance, seconds, seen = given.balance(customer), 0, []
        for _ in range(8):
            seen.append(row(conn, refill))
            late = claimed(conn, refill)
            seconds += data.draw(st.sampled_from([0, 1, 3600, 86_400, 10 * 86_400]))
            given.later(f"{seconds} seconds")
            answered(conn, refill, data.draw(answers_to(late.question)))
            refills.record(conn, {late: data.draw(answers_to(late.question))})
            if check(conn, customer, refill, seen):
                break
        assert given.balance(customer) == balance
        assert given.status(customer, order).charge_micros == 100_000
        given.assert_books()
        raise psycopg.Rollback


@for_all(st.sampled_from([S.PENDING, S.IN_PROGRESS]), st.none() | st.text(min_size=1))
def test_there_is_always_exactly_one_next_question(state: RefillState, name: str | None) -> None:
    question = next_question(state, name)
    assert (question is Question.REFILL) == (state is S.PENDING)
    assert (question is Question.PROGRESS) == (state is S.IN_PROGRESS and name is not None)
