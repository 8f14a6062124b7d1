"""Any number of workers share the work: nothing is done twice, and no provider gets more than it may."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from threading import Event

import psycopg
import pytest
from submissions import submission
from threads import at_once

from given import LEASE, Customer, Given
from panelry.database.pool import Conn, Pool
from panelry.domain import orders
from panelry.domain.orders import Attempt
from panelry.domain.providers import (
    Accepted,
    Outcome,
    ProviderId,
    Rejected,
    Rejection,
    Report,
    Unknown,
    UpstreamState,
)

REFUSED = Rejected(reason=Rejection.LINK, text="bad link")


def waiting(
    pool: Pool, number: int, *, max_in_flight: int = 8, dialect: str = "panel_v2"
) -> tuple[ProviderId, Customer]:
    """Place this many orders that wait for one provider."""
    with pool.transaction() as conn:
        given = Given(conn)
        provider, customer = given.provider(dialect=dialect), given.customer("100")
        conn.execute("UPDATE providers SET max_in_flight = %s WHERE id = %s", [max_in_flight, provider])
        service = given.service(provider)
        for _ in range(number):
            given.placed(customer, service)
    return provider, customer


def claim(pool: Pool, provider: ProviderId, most: int = 100) -> list[Attempt]:
    with pool.transaction() as conn:
        return orders.claim_submissions(conn, provider, most=most, lease=LEASE)


def record(pool: Pool, attempt: Attempt, outcome: Outcome, *, resendable: bool = False) -> int:
    with pool.transaction() as conn:
        return Given(conn).answered(attempt, outcome, resendable=resendable)


def sending(conn: Conn) -> int:
    [[number]] = conn.execute("SELECT count(*) FROM submissions WHERE state = 'sending'").fetchall()
    return int(number)


def test_workers_claim_each_order_once_and_never_more_than_a_provider_may_get(fresh_pool: Pool) -> None:
    provider, _ = waiting(fresh_pool, 120, max_in_flight=3)
    done, most_seen, numbers = Event(), [0], count()

    def watch() -> list[Attempt]:
        while not done.is_set():
            with fresh_pool.transaction() as conn:
                most_seen[0] = max(most_seen[0], sending(conn))
        return []

    def work() -> list[Attempt]:
        mine = []
        while len(mine) < 120 and not done.is_set():
            claimed = claim(fresh_pool, provider)
            for attempt in claimed:
                record(fresh_pool, attempt, Accepted(upstream_id=f"{next(numbers)}"))
            mine += claimed
            with fresh_pool.transaction() as conn:
                [[left]] = conn.execute("SELECT count(*) FROM orders WHERE state = 'pending'").fetchall()
            if not left:
                done.set()
        return mine

    results = at_once([watch, work, work, work, work, work])
    claimed = [attempt for result in results if not isinstance(result, Exception) for attempt in result]
    assert [result for result in results if isinstance(result, Exception)] == []
    assert len({attempt.submission_id for attempt in claimed}) == len(claimed) == 120
    assert 1 <= most_seen[0] <= 3
    with fresh_pool.transaction() as conn:
        Given(conn).assert_books()


def test_room_that_another_worker_took_while_this_one_was_asking_is_taken(fresh_pool: Pool) -> None:
    """The room is counted after the provider's row is locked, not by what was visible before."""
    provider, _ = waiting(fresh_pool, 40, max_in_flight=4)
    for _ in range(10):
        results = at_once([lambda: len(claim(fresh_pool, provider))] * 8)
        with fresh_pool.transaction() as conn:
            assert sending(conn) == 4, results
            conn.execute("UPDATE orders SET state = 'pending' WHERE state = 'processing'")
            conn.execute("DELETE FROM submissions")


@pytest.mark.parametrize("plan", ["hash", "merge", "nest"])
def test_no_more_is_claimed_than_was_asked_for_whatever_the_plan(fresh_pool: Pool, plan: str) -> None:
    provider, _ = waiting(fresh_pool, 30, max_in_flight=100, dialect="panelry")
    for number, attempt in enumerate(claim(fresh_pool, provider)):
        outcome = Accepted(upstream_id=str(number)) if number % 2 else Unknown(text="")
        record(fresh_pool, attempt, outcome, resendable=True)
    with fresh_pool.transaction() as conn:
        conn.execute("UPDATE submissions SET due_at = clock_now() - interval '1 second'")
        for method, setting in (("hash", "hashjoin"), ("merge", "mergejoin"), ("nest", "nestloop")):
            conn.execute(f"SET LOCAL enable_{setting} = {'on' if method == plan else 'off'}")
        conn.execute("SET LOCAL enable_material = off")
        conn.execute("SET LOCAL enable_indexscan = off")
        conn.execute("SET LOCAL enable_bitmapscan = off")
        assert len(orders.claim_tracking(conn, provider, most=5, lease=LEASE)) == 5
        assert len(orders.claim_resends(conn, provider, most=5, lease=LEASE)) == 5


def test_workers_that_follow_orders_share_them(fresh_pool: Pool) -> None:
    provider, _ = waiting(fresh_pool, 40, max_in_flight=100)
    for number, attempt in enumerate(claim(fresh_pool, provider)):
        record(fresh_pool, attempt, Accepted(upstream_id=str(number)))
    with fresh_pool.transaction() as conn:
        conn.execute("UPDATE submissions SET due_at = clock_now() - interval '1 second'")

    def follow() -> list[str]:
        with fresh_pool.transaction() as conn:
            return [
                t.upstream_id
                for t in orders.claim_tracking(conn, provider, most=10, lease=timedelta(seconds=60))
            ]

    results = at_once([follow] * 6)
    claimed = [
        upstream_id for result in results if not isinstance(result, Exception) for upstream_id in result
    ]
    assert len(claimed) == len(set(claimed)) <= 40
    assert [result for result in results if isinstance(result, Exception)] == []


def test_one_answer_that_is_recorded_by_many_at_once_counts_once(fresh_pool: Pool) -> None:
    provider, customer = waiting(fresh_pool, 1)
    [attempt] = claim(fresh_pool, provider)
    results = at_once([lambda: record(fresh_pool, attempt, REFUSED)] * 8)
    assert sorted(map(str, results)) == ["0"] * 7 + ["1"]
    with fresh_pool.transaction() as conn:
        assert Given(conn).balance(customer) == 100_000_000
        Given(conn).assert_books()


def test_answers_and_reports_about_the_same_orders_at_once_leave_the_books_right(fresh_pool: Pool) -> None:
    provider, customer = waiting(fresh_pool, 24, max_in_flight=100)
    attempts = claim(fresh_pool, provider)
    tracked = [
        orders.Tracked(
            submission_id=a.submission_id, account_id=a.account_id, provider_id=provider, upstream_id=str(n)
        )
        for n, a in enumerate(attempts)
    ]

    def answer(backwards: int) -> Callable[[], int]:
        def run() -> int:
            with fresh_pool.transaction() as conn:
                outcomes: dict[object, Outcome] = {}
                for n, a in list(enumerate(attempts))[::backwards]:
                    outcomes[a.account_id, a.submission_id] = (
                        Accepted(upstream_id=str(n)) if n % 3 else REFUSED
                    )
                return orders.record_outcomes(conn, outcomes, resendable=set())  # type: ignore[arg-type]

        return run

    def report(state: UpstreamState, remains: int) -> Callable[[], int]:
        def run() -> int:
            changed = 0
            for _ in range(5):
                with fresh_pool.transaction() as conn:
                    said = dict.fromkeys(tracked, Report(state=state, word=state, remains=remains))
                    changed += orders.apply_reports(conn, said)
            return changed

        return run

    calls = [
        answer(1),
        answer(-1),
        report(UpstreamState.PARTIAL, 40),
        report(UpstreamState.CANCELLED, 70),
    ] * 2
    results = at_once(calls)
    assert [result for result in results if isinstance(result, Exception)] == []
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        given.assert_books()
        [[cost]] = conn.execute("SELECT sum(charge_micros - refunded_micros)::bigint FROM orders").fetchall()
        assert given.balance(customer) == 100_000_000 - cost


def test_an_id_that_two_workers_hear_at_once_is_recorded_once_and_the_other_answer_at_the_second_try(
    fresh_pool: Pool,
) -> None:
    provider, _ = waiting(fresh_pool, 8)
    attempts = claim(fresh_pool, provider)

    def work(attempt: Attempt) -> Callable[[], int]:
        def run() -> int:
            try:
                return record(fresh_pool, attempt, Accepted(upstream_id="17"))
            except psycopg.errors.UniqueViolation:
                return record(fresh_pool, attempt, Accepted(upstream_id="17"))

        return run

    assert at_once([work(attempt) for attempt in attempts]) == [1] * 8
    with fresh_pool.transaction() as conn:
        states = sorted(submission(conn, attempt).state for attempt in attempts)
    assert states == ["accepted"] + ["unknown"] * 7
