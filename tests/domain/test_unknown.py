"""Answers that were lost: an order is never sent twice, and no answer that proves something is thrown away."""

from datetime import timedelta

import pytest
from submissions import now, order_row, submission, submissions_of, told

from given import LEASE, Customer, Given
from panelry.database.pool import Conn
from panelry.domain import orders
from panelry.domain.orders import Attempt, OrderId, SubmissionState
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
)

LOST = Unknown(text="read time-out")
World = tuple[Customer, ProviderId, OrderId, Attempt]


def world_of(given: Given, dialect: str) -> World:
    customer, provider = given.customer("1"), given.provider(dialect=dialect)
    order = given.placed(customer, given.service(provider))
    [attempt] = given.attempts(provider)
    return customer, provider, order, attempt


@pytest.fixture
def classic(given: Given) -> World:
    """An order on its way to a provider that would buy it again if it was sent again."""
    return world_of(given, "panel_v2")


@pytest.fixture
def panelry(given: Given) -> World:
    """An order on its way to a provider that recognises our request ids."""
    return world_of(given, "panelry")


def lose_and_repeat(conn: Conn, given: Given, attempt: Attempt) -> None:
    given.answered(attempt, LOST, resendable=True)
    given.later("1 second")
    assert len(resends(conn, attempt.provider_id)) == 1


def resends(conn: Conn, provider: ProviderId) -> list[Attempt]:
    return orders.claim_resends(conn, provider, most=100, lease=LEASE)


def test_a_lost_answer_is_never_asked_for_again_where_asking_would_buy_again(
    conn: Conn, given: Given, classic: World
) -> None:
    customer, provider, order, attempt = classic
    given.answered(attempt, LOST)
    row = submission(conn, attempt)
    looked_for_at = now(conn) + timedelta(seconds=5)
    assert (row.state, row.due_at, row.notes) == ("unknown", looked_for_at, ["read time-out"])
    given.later("10 years")
    assert given.attempts(provider) == []
    assert resends(conn, provider) == []
    assert orders.abandon_expired(conn, resendable=set()) == 0
    assert (given.status(customer, order).state, given.balance(customer)) == ("processing", 900_000)
    assert order_row(conn, order, "refunded_micros") == (0,)


def test_what_was_lost_is_listed_for_staff_with_its_evidence(
    conn: Conn, given: Given, classic: World
) -> None:
    given.answered(classic[3], LOST)
    waiting = orders.submissions_in(conn, [SubmissionState.UNKNOWN])
    [found] = [row for row in waiting if row["id"] == classic[3].request_id]
    assert found["link"] == "https://example.com/post"
    assert [note["note"] for note in found["evidence"]] == ["read time-out"]


def test_a_call_whose_worker_never_came_back_is_unknown_and_not_sent_again(
    conn: Conn, given: Given, classic: World
) -> None:
    _, provider, order, attempt = classic
    given.later("59 seconds")
    assert orders.abandon_expired(conn, resendable=set()) == 0
    given.later("60 seconds")
    assert orders.abandon_expired(conn, resendable=set()) == 1
    assert orders.abandon_expired(conn, resendable=set()) == 0
    assert submission(conn, attempt).state == "unknown"
    given.later("1 year")
    assert given.attempts(provider) == []
    assert submissions_of(conn, order) == ["unknown"]


def test_abandoned_calls_make_room_for_others(conn: Conn, given: Given, classic: World) -> None:
    customer, provider, _, _ = classic
    conn.execute("UPDATE providers SET max_in_flight = 1 WHERE id = %s", [provider])
    [[service]] = conn.execute("SELECT service_id FROM routes WHERE provider_id = %s", [provider]).fetchall()
    given.placed(customer, service)
    assert given.attempts(provider) == []
    given.later("1 minute")
    orders.abandon_expired(conn, resendable=set())
    assert len(given.attempts(provider)) == 1


@pytest.mark.parametrize("dialect", ["panel_v2", "panelry"])
def test_a_yes_that_comes_late_still_counts(conn: Conn, given: Given, dialect: str) -> None:
    customer, provider, order, attempt = world_of(given, dialect)
    given.later("1 minute")
    orders.abandon_expired(conn, resendable={provider})
    assert given.answered(attempt, Accepted(upstream_id="17"), resendable=dialect == "panelry") == 1
    row = submission(conn, attempt)
    assert (row.state, row.upstream_id, row.due_at) == ("accepted", "17", now(conn) + timedelta(seconds=1))
    assert (given.status(customer, order).state, given.balance(customer)) == ("processing", 900_000)


@pytest.mark.parametrize(
    "late",
    [
        Rejected(reason=Rejection.KEY, text="no key"), NotSent(text="refused"),
        Postponed(reason=Delay.RATE, text="429"), LOST,
    ],
)  # fmt: skip
def test_nothing_else_that_comes_late_moves_money_where_a_call_may_have_been_repeated(
    conn: Conn, given: Given, panelry: World, late: Outcome
) -> None:
    customer, provider, order, attempt = panelry
    lose_and_repeat(conn, given, attempt)
    given.answered(attempt, late, resendable=True)
    assert submission(conn, attempt).state == "unknown"
    assert (given.status(customer, order).state, given.balance(customer)) == ("processing", 900_000)
    assert given.attempts(provider) == []


def test_a_provider_that_knows_our_ids_is_asked_again_under_the_same_id(
    conn: Conn, given: Given, panelry: World
) -> None:
    _, provider, _, attempt = panelry
    given.answered(attempt, LOST, resendable=True)
    assert submission(conn, attempt).due_at == now(conn) + timedelta(seconds=1)
    assert resends(conn, provider) == []
    given.later("1 second")
    [again] = resends(conn, provider)
    assert again.repetition == 1
    assert (again.request_id, again.parameters, again.provider_service) == (
        attempt.request_id, attempt.parameters, attempt.provider_service,
    )  # fmt: skip
    assert resends(conn, provider) == []
    assert given.attempts(provider) == []


def test_a_repeated_call_whose_worker_died_is_repeated_again_after_its_lease(
    conn: Conn, given: Given, panelry: World
) -> None:
    _, provider, _, attempt = panelry
    given.answered(attempt, LOST, resendable=True)
    given.later("1 second")
    assert len(resends(conn, provider)) == 1
    given.later("60 seconds")
    assert resends(conn, provider) == []
    given.later("61 seconds")
    assert len(resends(conn, provider)) == 1


@pytest.mark.parametrize("reason", [Rejection.LINK, Rejection.QUANTITY, Rejection.SERVICE, Rejection.EXTRAS])
def test_a_no_to_a_repeated_call_proves_that_nothing_was_bought(
    given: Given, panelry: World, reason: Rejection
) -> None:
    customer, _, order, attempt = panelry
    given.answered(attempt, LOST, resendable=True)
    assert given.answered(attempt, Rejected(reason=reason, text="no"), resendable=True) == 1
    assert (given.status(customer, order).state, given.balance(customer)) == ("refunded", 1_000_000)


@pytest.mark.parametrize(
    "said",
    [
        Rejected(reason=Rejection.KEY, text="invalid api key"), Postponed(reason=Delay.RATE, text="429"),
        Postponed(reason=Delay.DUPLICATE_LINK, text="active order"), NotSent(text="refused"), LOST,
    ],
)  # fmt: skip
def test_what_is_said_before_our_id_is_looked_up_proves_nothing(
    conn: Conn, given: Given, panelry: World, said: Outcome
) -> None:
    customer, provider, order, attempt = panelry
    lose_and_repeat(conn, given, attempt)
    given.answered(attempt, said, resendable=True)
    row = submission(conn, attempt)
    assert (row.state, row.due_at) == ("unknown", now(conn) + timedelta(seconds=2))
    assert (given.status(customer, order).state, given.balance(customer)) == ("processing", 900_000)
    assert given.attempts(provider) == []


def test_asking_again_slows_down_to_every_ten_minutes(conn: Conn, given: Given, panelry: World) -> None:
    attempt = panelry[3]
    waits: list[int] = []
    for _ in range(16):
        given.answered(attempt, LOST, resendable=True)
        due = submission(conn, attempt).due_at
        assert due is not None
        waits.append(round((due - now(conn)).total_seconds()))
        given.later(f"{sum(waits)} seconds")
        [attempt] = resends(conn, attempt.provider_id)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 600, 600, 600]


@pytest.mark.parametrize(
    "first",
    [
        Accepted(upstream_id="17"), Rejected(reason=Rejection.LINK, text=""), NotSent(text=""),
        Postponed(reason=Delay.RATE, text=""),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "second",
    [Rejected(reason=Rejection.LINK, text=""), NotSent(text=""), Postponed(reason=Delay.RATE, text=""), LOST],
)  # fmt: skip
def test_a_second_answer_changes_nothing(
    conn: Conn, given: Given, panelry: World, first: Outcome, second: Outcome
) -> None:
    customer, _, order, attempt = panelry
    assert given.answered(attempt, first, resendable=True) == 1
    before = submission(conn, attempt), given.status(customer, order), given.balance(customer)
    events = told(conn, customer, order)
    assert given.answered(attempt, second, resendable=True) == 0
    assert (submission(conn, attempt), given.status(customer, order), given.balance(customer)) == before
    assert told(conn, customer, order) == events


def test_a_second_yes_moves_nothing_and_is_kept_where_it_contradicts(
    conn: Conn, given: Given, panelry: World
) -> None:
    _, _, _, attempt = panelry
    given.answered(attempt, Accepted(upstream_id="17"), resendable=True)
    before = submission(conn, attempt)
    for upstream_id, notes in (("17", 1), ("18", 2)):
        given.answered(attempt, Accepted(upstream_id=upstream_id), resendable=True)
        after = submission(conn, attempt)
        assert (after.state, after.upstream_id, after.due_at) == ("accepted", "17", before.due_at)
        assert len(after.notes) == notes
    assert "18" in after.notes[-1]


def two_attempts(given: Given) -> tuple[Attempt, Attempt]:
    customer, provider = given.customer("1"), given.provider()
    service = given.service(provider)
    given.placed(customer, service)
    given.placed(customer, service)
    first, second = given.attempts(provider)
    return first, second


def test_an_id_that_a_provider_gives_out_twice_is_ours_once_and_the_second_order_is_unknown(
    conn: Conn, given: Given
) -> None:
    first, second = two_attempts(given)
    given.answered(first, Accepted(upstream_id="17"))
    assert given.answered(second, Accepted(upstream_id="17")) == 1
    assert (submission(conn, first).state, submission(conn, second).state) == ("accepted", "unknown")
    assert "17" in submission(conn, second).notes[-1]


def test_an_id_that_comes_twice_in_one_set_of_answers_is_ours_once_too(conn: Conn, given: Given) -> None:
    attempts = two_attempts(given)
    outcomes = {(a.account_id, a.submission_id): Accepted(upstream_id="17") for a in attempts}
    assert orders.record_outcomes(conn, outcomes, resendable=set()) == 2
    assert sorted(submission(conn, a).state for a in attempts) == ["accepted", "unknown"]


def test_two_providers_may_give_out_the_same_id(conn: Conn, given: Given) -> None:
    for _ in range(2):
        _, _, _, attempt = world_of(given, "panel_v2")
        given.answered(attempt, Accepted(upstream_id="17"))
        assert submission(conn, attempt).state == "accepted"


def test_long_evidence_is_cut(conn: Conn, given: Given, classic: World) -> None:
    given.answered(classic[3], Unknown(text="x" * 100_000))
    row = submission(conn, classic[3])
    assert (len(row.message), len(row.notes[0])) == (1000, 1000)


def test_a_yes_that_comes_after_a_settled_no_is_kept_as_evidence(
    conn: Conn, given: Given, panelry: World
) -> None:
    attempt = panelry[3]
    given.answered(attempt, LOST, resendable=True)
    given.answered(attempt, Rejected(reason=Rejection.FUNDS, text="no funds"), resendable=True)
    given.answered(attempt, Accepted(upstream_id="17"), resendable=True)
    assert any("17" in note for note in submission(conn, attempt).notes)


def test_a_late_no_to_the_only_call_that_was_made_settles_it(
    given: Given, conn: Conn, classic: World
) -> None:
    customer, _, order, attempt = classic
    given.later("1 minute")
    orders.abandon_expired(conn, resendable=set())
    given.answered(attempt, Rejected(reason=Rejection.LINK, text="bad link"))
    assert given.status(customer, order).state == "refunded"


def test_a_late_no_to_an_earlier_call_says_nothing_about_its_repetition(
    conn: Conn, given: Given, panelry: World
) -> None:
    customer, provider, order, first = panelry
    refusal = Rejected(reason=Rejection.FUNDS, text="not enough funds")
    given.later("1 minute")
    orders.abandon_expired(conn, resendable={provider})
    given.later("2 minutes")
    [second] = resends(conn, provider)
    given.later("4 minutes")
    [third] = resends(conn, provider)
    for earlier in (first, second):
        given.answered(earlier, refusal, resendable=True)
        assert (submission(conn, first).state, given.status(customer, order).state) == (
            "unknown",
            "processing",
        )
    given.answered(third, refusal, resendable=True)
    assert (submission(conn, first).state, given.status(customer, order).state) == ("rejected", "pending")


def test_an_unsent_repetition_proves_nothing_also_where_the_dialect_has_changed_since(
    conn: Conn, given: Given, panelry: World
) -> None:
    customer, provider, order, attempt = panelry
    given.answered(attempt, LOST, resendable=True)
    given.later("1 second")
    [again] = resends(conn, provider)
    conn.execute("UPDATE providers SET dialect = 'panel_v2' WHERE id = %s", [provider])
    given.answered(again, NotSent(text="refused"), resendable=False)
    assert given.status(customer, order).state == "processing"
