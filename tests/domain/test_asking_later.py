"""Most of what providers say about orders is nothing new: then only the time of the next question is written."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from submissions import now, submission, told
from threads import at_once

from given import LEASE, Customer, Given
from panelry.database.pool import Conn, Pool
from panelry.domain import orders
from panelry.domain.orders import CUSTOMER, OrderId, Tracked
from panelry.domain.providers import CancelAsked, ProviderId, Report, RowError, UpstreamState

U = UpstreamState


class Followed:
    """An order of 100 units for 0.10 that was accepted."""

    def __init__(self, conn: Conn) -> None:
        self.conn, self.given = conn, Given(conn)
        self.provider: ProviderId = self.given.provider()
        self.customer: Customer = self.given.customer("1")
        self.order: OrderId = self.given.placed(self.customer, self.given.service(self.provider))
        self.accepted: Tracked = self.given.accepted(self.provider)

    def claim(self, after: str = "1 hour") -> Tracked:
        self.given.later(after)
        [tracked] = orders.claim_tracking(self.conn, self.provider, most=10, lease=LEASE)
        return tracked

    def stands(self) -> tuple[Any, ...]:
        """Return all that is known of the order but who holds it."""
        rows = [
            self.conn.execute(query.encode(), [self.customer.account]).fetchall()
            for query in (
                "SELECT to_jsonb(o) FROM orders o WHERE account_id = %s",
                "SELECT to_jsonb(s) - 'leased_until' FROM submissions s WHERE account_id = %s",
                "SELECT type, data FROM events WHERE account_id = %s ORDER BY subject, sequence",
                "SELECT balance_micros, version FROM wallets WHERE account_id = %s",
                "SELECT charged_micros FROM provider_costs WHERE account_id = %s",
            )
        ]
        return tuple(rows)


@pytest.fixture
def followed(conn: Conn) -> Followed:
    return Followed(conn)


def said(state: UpstreamState | None, remains: int | None = None, word: str = "") -> Report:
    return Report(state=state, word=word or str(state), remains=remains)


def left(conn: Conn, tracked: Tracked, answer: Report | RowError | None) -> bool:
    """Say it; return whether it is left to apply."""
    return bool(orders.ask_later(conn, {tracked: answer}))


def test_of_what_says_nothing_new_only_the_next_question_is_written(conn: Conn, followed: Followed) -> None:
    report = said(U.IN_PROGRESS, 60)
    orders.apply_reports(conn, {followed.accepted: report})
    tracked = followed.claim()
    before, [[version]] = followed.stands(), conn.execute("SELECT xmin::text FROM orders WHERE id = %s", [followed.order]).fetchall()  # fmt: skip
    assert not left(conn, tracked, report)
    assert submission(conn, tracked).due_at == now(conn) + timedelta(minutes=3)  # a twentieth of the hour
    assert conn.execute("SELECT xmin::text FROM orders WHERE id = %s", [followed.order]).fetchall() == [(version,)]  # fmt: skip
    conn.execute("UPDATE submissions SET due_at = %s", [tracked.known and tracked.known.due_at])
    assert followed.stands() == before


FIRST = [
    None,
    said(U.IN_PROGRESS, 60),
    said(U.COMPLETED, 0),
    said(U.PARTIAL, 30),
    said(U.PARTIAL),
    said(None, 60),
]
SECOND = [
    *(said(state, remains) for state, remains in product(U, (None, 0, 30, 60))),
    said(None, 60), said(U.COMPLETED, 60, word="None"), RowError(text="e"), None,
]  # fmt: skip


@pytest.mark.parametrize("first", FIRST, ids=str)
def test_asking_later_and_applying_what_is_left_is_the_same_as_applying_all(
    conn: Conn, followed: Followed, first: Report | None
) -> None:
    orders.apply_reports(conn, {followed.accepted: first})
    tracked = followed.claim()
    quiet = 0
    for second in SECOND:
        ends = []
        for is_short in (True, False):
            with conn.transaction(force_rollback=True):
                answers: orders.Answers = {tracked: second}
                rest = orders.ask_later(conn, answers) if is_short else answers
                quiet += is_short and not rest
                orders.apply_reports(conn, rest)
                ends.append(followed.stands())
        assert ends[0] == ends[1], second
    assert quiet == (first is not None)  # the same again, and nothing else


def test_a_word_that_is_known_by_now_is_left_to_apply_though_it_was_said_before(
    conn: Conn, followed: Followed
) -> None:
    orders.apply_reports(conn, {followed.accepted: said(None, 0, word="Fertig")})
    assert left(conn, followed.claim(), said(U.COMPLETED, 0, word="Fertig"))


@pytest.mark.parametrize("answer", [None, RowError(text="Incorrect order ID")])
def test_no_answer_and_an_error_are_left_to_apply(
    conn: Conn, followed: Followed, answer: RowError | None
) -> None:
    assert left(conn, followed.claim(), answer)


def test_what_was_not_claimed_is_left_to_apply(conn: Conn, followed: Followed) -> None:
    report = said(U.IN_PROGRESS, 60)
    orders.apply_reports(conn, {followed.accepted: report})
    assert left(conn, followed.accepted, report)


def test_a_question_that_was_hastened_meanwhile_stays_so(conn: Conn, followed: Followed) -> None:
    report = said(U.IN_PROGRESS, 60)
    orders.apply_reports(conn, {followed.accepted: report})
    tracked = followed.claim()
    orders.cancel(conn, [(followed.customer.account, followed.order)], actor=CUSTOMER)
    [call] = orders.claim_cancels(conn, followed.provider, most=1, lease=LEASE)
    orders.record_cancels(conn, {call: CancelAsked()})
    hastened = submission(conn, tracked).due_at
    assert not left(conn, tracked, report)
    assert submission(conn, tracked).due_at == hastened
    assert followed.claim("1 hour 2 seconds").submission_id == tracked.submission_id


def test_an_answer_after_the_lease_moves_nothing_that_another_worker_has_moved(
    conn: Conn, followed: Followed
) -> None:
    report = said(U.IN_PROGRESS, 60)
    orders.apply_reports(conn, {followed.accepted: report})
    late = followed.claim()
    orders.apply_reports(conn, {followed.claim("2 hours"): said(U.COMPLETED, 0)})
    before = followed.stands()
    assert not left(conn, late, report)
    assert followed.stands() == before
    assert told(conn, followed.customer, followed.order)[-1] == "order.completed"


def test_an_answer_ends_the_lease(conn: Conn, followed: Followed) -> None:
    report = said(U.IN_PROGRESS, 60)
    orders.apply_reports(conn, {followed.accepted: report})
    for age in ("2 seconds", "5 seconds", "8 seconds"):
        assert not left(conn, followed.claim(age), report)


def test_what_was_due_before_is_stepped_over_where_it_was_taken(conn: Conn, followed: Followed) -> None:
    tracked = followed.claim()
    assert tracked.known is not None
    ended = tracked.known.due_at
    followed.given.later("2 hours")
    for since, count in ((ended + timedelta(seconds=1), 0), (ended, 1)):
        assert len(orders.to_follow(conn, {followed.provider: since}) & {followed.provider}) == count
        found = orders.claim_tracking(conn, followed.provider, most=10, lease=LEASE, since=since)
        assert len(found) == count
    assert followed.provider not in orders.to_follow(conn)


def test_workers_that_hold_the_same_orders_never_wait_for_each_other_for_ever(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        provider = given.provider()
        service, customer = given.service(provider), given.customer("100")
        for _ in range(20):
            given.placed(customer, service)
            orders.apply_reports(conn, {given.accepted(provider): said(U.IN_PROGRESS, 60)})
        conn.execute("UPDATE submissions SET due_at = clock_now() - interval '1 minute'")
        claimed = orders.claim_tracking(conn, provider, most=20, lease=LEASE)

    def work(backwards: int) -> int:
        mine = claimed[::backwards]
        said_ = {t: said(U.IN_PROGRESS, 60 - n % 2) for n, t in enumerate(mine)}
        with fresh_pool.transaction() as conn:
            rest = orders.ask_later(conn, said_)
        with fresh_pool.transaction() as conn:
            return orders.apply_reports(conn, rest)

    results = at_once([lambda: work(1), lambda: work(-1)] * 4)
    assert [result for result in results if isinstance(result, Exception)] == []
