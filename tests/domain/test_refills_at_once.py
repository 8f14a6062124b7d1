"""Any number of callers and workers at once: one open refill an order, no more than the cap, nothing asked twice."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from threading import Event, Timer

import pytest
from refilling import ask, refilled, wanted, why
from threads import at_once

from given import LEASE, Customer, Given
from panelry.database.pool import Conn, Pool
from panelry.domain import orders, refills
from panelry.domain.orders import OrderId
from panelry.domain.providers import ProviderId, RefillRefused, RefillReport, RefillState, RefillTaken
from panelry.domain.refills import Claimed, RefillAlreadyPending, RefillId, RefillLimitReached, Wanted
from panelry.domain.refusals import Refusal

Answers = list[RefillId | Refusal]


def sold(pool: Pool, number: int) -> tuple[Customer, ProviderId, list[OrderId]]:
    """Complete this many orders."""
    with pool.transaction() as conn:
        given = Given(conn)
        customer, provider = given.customer("100"), given.provider()
        service = given.service(provider)
        return customer, provider, [given.ended(customer, service) for _ in range(number)]


def request(pool: Pool, wishes: Sequence[Wanted]) -> Answers:
    with pool.transaction() as conn:
        return refills.request(conn, wishes, actor="customer")


def open_refills(conn: Conn) -> dict[OrderId, int]:
    query = (
        "SELECT order_id, count(*) FROM refills WHERE state IN ('pending', 'in_progress') GROUP BY order_id"
    )
    return dict(conn.execute(query).fetchall())


def test_of_two_connections_the_second_waits_and_is_told_of_the_first(fresh_pool: Pool) -> None:
    customer, _, [order] = sold(fresh_pool, 1)
    has_asked, may_commit = Event(), Event()

    def first() -> Answers:
        with fresh_pool.transaction() as conn:
            answers = ask(Given(conn), customer, order)
            has_asked.set()
            may_commit.wait(10)
            return answers

    def second() -> Answers:
        has_asked.wait(10)
        with fresh_pool.transaction() as conn:
            Timer(0.3, may_commit.set).start()
            return ask(Given(conn), customer, order)

    [[mine], [theirs]] = [answer for answer in at_once([first, second]) if not isinstance(answer, Exception)]
    assert (why(mine), why(theirs)) == (None, RefillAlreadyPending)


def test_the_second_caller_gets_what_the_first_one_gave_up(fresh_pool: Pool) -> None:
    customer, _, [order] = sold(fresh_pool, 1)
    has_asked = Event()

    def first() -> Answers:
        with fresh_pool.transaction() as conn:
            ask(Given(conn), customer, order)
            has_asked.set()
            raise RuntimeError("lost its connection")

    def second() -> Answers:
        has_asked.wait(10)
        with fresh_pool.transaction() as conn:
            return ask(Given(conn), customer, order)

    [lost, answers] = at_once([first, second])
    assert isinstance(lost, RuntimeError)
    assert not isinstance(answers, Exception)
    assert [why(answer) for answer in answers] == [None]


@pytest.mark.parametrize("most", [1, 3])
def test_a_crowd_asking_for_the_same_orders_in_any_order_gets_one_refill_of_each(
    fresh_pool: Pool, most: int
) -> None:
    customer, _, mine = sold(fresh_pool, 12)
    with fresh_pool.transaction() as conn:
        conn.execute("UPDATE services SET refill_most = %s", [most])
    sets = [mine, mine[::-1], mine[::2] + mine[1::2], [*mine[6:], *mine[:6]]] * 3
    wishes = [[wanted(customer, order) for order in some] for some in sets]
    results = at_once([partial(request, fresh_pool, some) for some in wishes])
    assert [result for result in results if isinstance(result, Exception)] == []
    reasons = Counter(why(a) for result in results if not isinstance(result, Exception) for a in result)
    refused = RefillLimitReached if most == 1 else RefillAlreadyPending
    assert reasons == {None: 12, refused: 12 * 11}
    with fresh_pool.transaction() as conn:
        assert open_refills(conn) == dict.fromkeys(mine, 1)


def test_the_last_refill_of_the_cap_is_given_once_while_others_end(fresh_pool: Pool) -> None:
    customer, provider, [order] = sold(fresh_pool, 1)
    stop = Event()

    def work() -> Answers:
        while not stop.is_set():
            with fresh_pool.transaction() as conn:
                claimed = refills.claim(conn, provider, most=10, lease=LEASE)
            with fresh_pool.transaction() as conn:
                done = RefillReport(state=RefillState.COMPLETED, word="Completed")
                for one in claimed:
                    answer = RefillTaken(upstream_id="7") if one.upstream_id is None else done
                    refills.record(conn, {one: answer})
                conn.execute("UPDATE refills SET due_at = clock_now() WHERE due_at IS NOT NULL")
        return []

    def customer_asks() -> Answers:
        answers: Answers = []
        try:
            while RefillLimitReached not in map(why, answers):
                answers += request(fresh_pool, [wanted(customer, order)])
        finally:
            stop.set()
        return answers

    results = at_once([work, customer_asks, customer_asks, customer_asks])
    assert [result for result in results if isinstance(result, Exception)] == []
    answers = [a for result in results if not isinstance(result, Exception) for a in result]
    assert list(map(why, answers)).count(None) == 3
    with fresh_pool.transaction() as conn:
        [[events]] = conn.execute("SELECT count(*) FROM events WHERE type = 'refill.created'").fetchall()
        assert events == 3
        Given(conn).assert_books()


def test_workers_that_follow_refills_share_them_and_one_answer_counts_once(fresh_pool: Pool) -> None:
    customer, provider, mine = sold(fresh_pool, 40)
    request(fresh_pool, [wanted(customer, order) for order in mine])

    def claim() -> list[Claimed]:
        with fresh_pool.transaction() as conn:
            return refills.claim(conn, provider, most=10, lease=LEASE)

    results = at_once([claim] * 6)
    claimed = [one for result in results if not isinstance(result, Exception) for one in result]
    assert [result for result in results if isinstance(result, Exception)] == []
    assert len({one.id for one in claimed}) == len(claimed) <= 40

    def answer() -> int:
        with fresh_pool.transaction() as conn:
            return refills.record(conn, {claimed[0]: RefillRefused(text="no")})

    assert sorted(map(str, at_once([answer] * 6))) == ["0"] * 5 + ["1"]


@pytest.mark.parametrize("plan", ["hash", "merge", "nest"])
def test_no_more_is_claimed_than_was_asked_for_whatever_the_plan(fresh_pool: Pool, plan: str) -> None:
    customer, provider, mine = sold(fresh_pool, 20)
    request(fresh_pool, [wanted(customer, order) for order in mine])
    with fresh_pool.transaction() as conn:
        for method, setting in (("hash", "hashjoin"), ("merge", "mergejoin"), ("nest", "nestloop")):
            conn.execute(f"SET LOCAL enable_{setting} = {'on' if method == plan else 'off'}")
        conn.execute("SET LOCAL enable_material = off")
        conn.execute("SET LOCAL enable_indexscan = off")
        conn.execute("SET LOCAL enable_bitmapscan = off")
        assert len(refills.claim(conn, provider, most=5, lease=LEASE)) == 5


def test_those_who_cancel_and_those_who_want_refills_never_wait_for_each_other(
    fresh_pool: Pool,
) -> None:
    """All of them lock orders in the order of their ids."""
    customer, _, mine = sold(fresh_pool, 8)

    def cancel() -> int:
        with fresh_pool.transaction() as conn:
            asked = [(customer.account, order) for order in mine[::-1]]
            return len(orders.cancel(conn, asked, actor="customer"))

    def ask_for_all() -> int:
        return len(request(fresh_pool, [wanted(customer, order) for order in mine]))

    assert at_once([cancel, ask_for_all] * 5) == [8] * 10


def test_a_refill_that_is_asked_for_while_another_one_ends_is_given_or_refused_never_lost(
    fresh_pool: Pool,
) -> None:
    customer, provider, [order] = sold(fresh_pool, 1)
    with fresh_pool.transaction() as conn:
        refilled(Given(conn), customer, order)
        [claimed] = refills.claim(conn, provider, most=1, lease=LEASE)

    def end() -> Answers:
        with fresh_pool.transaction() as conn:
            refills.record(conn, {claimed: RefillRefused(text="no")})
        return []

    results = at_once([end, lambda: request(fresh_pool, [wanted(customer, order)])])
    assert [result for result in results if isinstance(result, Exception)] == []
    [answer] = [a for result in results if not isinstance(result, Exception) for a in result]
    with fresh_pool.transaction() as conn:
        assert open_refills(conn) == ({order: 1} if why(answer) is None else {})
