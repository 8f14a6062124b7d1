"""Any number of engines, customers and staff at once: two attempts under way at an endpoint, nothing lost, no deadlock."""

from collections import Counter
from functools import partial
from threading import Lock

import pytest
from threads import at_once

from given import Customer, Given
from hooks import BAD, GONE, OK, claim, endpoint, told
from panelry.database.pool import Conn, Pool
from panelry.domain import webhooks
from panelry.domain.webhooks import Claimed, Registered, WebhookId


def shops(pool: Pool, number: int, *, events: int) -> list[tuple[Customer, Registered]]:
    """Make customers with an endpoint each, which is to be told this much."""
    with pool.transaction() as conn:
        made = []
        for _ in range(number):
            customer = Given(conn).customer()
            made.append((customer, endpoint(conn, customer)))
            told(conn, customer, events)
        return made


def under_way(conn: Conn) -> Counter[WebhookId]:
    rows = conn.execute("SELECT webhook_id, count(*) FROM deliveries WHERE state = 'sending' GROUP BY 1")
    return Counter(dict(rows.fetchall()))


def no_errors(results: list[object]) -> None:
    assert [result for result in results if isinstance(result, Exception)] == []


def test_engines_that_claim_at_once_never_have_more_than_two_under_way_at_an_endpoint(
    fresh_pool: Pool,
) -> None:
    shops(fresh_pool, 5, events=40)
    flights: Counter[WebhookId] = Counter()
    seen: Counter[object] = Counter()
    most: list[int] = []
    lock = Lock()

    def work() -> None:
        idle = 0
        while idle < 20:
            with fresh_pool.transaction() as conn:
                claimed = claim(conn, most=8, doubtful=8)
            idle = 0 if claimed else idle + 1
            with lock:
                flights.update(c.webhook_id for c in claimed)
                seen.update((c.webhook_id, c.told.event_id) for c in claimed)
                most.append(max(flights.values(), default=0))
            for one in claimed:
                with lock:
                    flights[one.webhook_id] -= 1
                with fresh_pool.transaction() as conn:
                    webhooks.record(conn, {one: OK})

    no_errors(list(at_once([work] * 4)))
    assert max(most) == 2
    assert len(seen) == 200
    assert set(seen.values()) == {1}
    with fresh_pool.transaction() as conn:
        states = conn.execute("SELECT DISTINCT state FROM deliveries").fetchall()
    assert states == [("delivered",)]


@pytest.mark.parametrize("plan", ["hash", "merge", "nest"])
def test_no_more_is_claimed_than_there_is_room_for_whatever_the_plan(fresh_pool: Pool, plan: str) -> None:
    shops(fresh_pool, 6, events=10)
    with fresh_pool.transaction() as conn:
        for method, setting in (("hash", "hashjoin"), ("merge", "mergejoin"), ("nest", "nestloop")):
            conn.execute(f"SET LOCAL enable_{setting} = {'on' if method == plan else 'off'}")
        for setting in ("material", "memoize", "indexscan", "bitmapscan", "indexonlyscan"):
            conn.execute(f"SET LOCAL enable_{setting} = off")
        assert len(claim(conn, most=8, doubtful=100)) == 8
        assert sorted(under_way(conn).values()) == [2, 2, 2, 2]
        assert len(claim(conn, most=100, doubtful=3)) == 2
        assert len(claim(conn)) == 2
        assert claim(conn) == []


def test_results_customers_and_staff_at_once_never_wait_for_each_other_in_a_circle(fresh_pool: Pool) -> None:
    """Whoever locks several endpoints locks them in the order of their ids, and endpoints before deliveries."""
    made = shops(fresh_pool, 1, events=0)
    customer = made[0][0]
    with fresh_pool.transaction() as conn:
        mine = [endpoint(conn, customer, f"https://shop.example/{number}").id for number in range(4)]
        mine.append(made[0][1].id)

    def happens() -> None:
        for _ in range(10):
            with fresh_pool.transaction() as conn:
                conn.execute("SELECT FROM accounts WHERE id = %s FOR NO KEY UPDATE", [customer.account])
                told(conn, customer, 3)

    def work() -> None:
        for number in range(20):
            with fresh_pool.transaction() as conn:
                claimed = claim(conn)
            with fresh_pool.transaction() as conn:
                webhooks.record(
                    conn, dict.fromkeys(claimed[:: -1 if number % 2 else 1], GONE if number % 5 == 0 else BAD)
                )

    def comes_back() -> None:
        for number in range(20):
            with fresh_pool.transaction() as conn:
                webhooks.enable(conn, customer.account, mine[number % 5])

    def redelivers() -> None:
        for number in range(20):
            with fresh_pool.transaction() as conn:
                [[now]] = conn.execute("SELECT clock_now()").fetchall()
                try:
                    webhooks.redeliver_range(
                        conn, mine[number % 5], since=now.replace(year=2000), until=now, only_failed=False
                    )
                except webhooks.WebhookDisabled:
                    continue

    no_errors(list(at_once([happens, work, work, work, comes_back, redelivers, redelivers])))


def test_an_endpoint_that_is_disabled_while_things_happen_has_nothing_waiting(fresh_pool: Pool) -> None:
    [(customer, shop)] = shops(fresh_pool, 1, events=1)
    with fresh_pool.transaction() as conn:
        claimed = claim(conn)

    def happens() -> None:
        with fresh_pool.transaction() as conn:
            conn.execute("SELECT FROM accounts WHERE id = %s FOR NO KEY UPDATE", [customer.account])
            told(conn, customer, 3)

    def gone() -> None:
        with fresh_pool.transaction() as conn:
            webhooks.record(conn, dict.fromkeys(claimed, GONE))

    no_errors(list(at_once([happens, gone, *[happens] * 4])))
    with fresh_pool.transaction() as conn:
        states = conn.execute(
            "SELECT DISTINCT state FROM deliveries WHERE webhook_id = %s", [shop.id]
        ).fetchall()
    assert states == [("exhausted",)]


def test_a_result_that_is_recorded_twice_at_once_counts_once(fresh_pool: Pool) -> None:
    shops(fresh_pool, 3, events=2)
    with fresh_pool.transaction() as conn:
        claimed = claim(conn)

    def record(some: list[Claimed]) -> None:
        with fresh_pool.transaction() as conn:
            webhooks.record(conn, dict.fromkeys(some, BAD))

    no_errors(list(at_once([partial(record, claimed), partial(record, claimed[::-1])] * 3)))
    with fresh_pool.transaction() as conn:
        [[attempts, deliveries]] = conn.execute(
            "SELECT (SELECT count(*) FROM delivery_attempts), count(*) FROM deliveries WHERE state = 'waiting' AND attempts = 1"
        ).fetchall()
    assert (attempts, deliveries) == (6, 6)
