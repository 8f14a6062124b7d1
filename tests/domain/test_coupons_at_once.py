"""Many callers race for the same coupons: nobody gets more than the limits, nobody waits in a circle."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from threads import at_once

from given import Customer, Given, draft
from panelry.database.pool import Pool
from panelry.domain import coupons
from panelry.domain.catalog import ServiceId
from panelry.domain.coupons import InvalidCoupon
from panelry.domain.orders import Draft, Placed, place
from panelry.domain.refusals import Refusal

Answers = list[Placed | Refusal]
CALLERS = 50


@pytest.fixture
def wide_pool(fresh_database: str) -> Iterator[Pool]:
    """Return a pool with a connection for each caller."""
    pool = Pool(fresh_database, size=CALLERS)
    yield pool
    pool.close()


def start(pool: Pool, *balances: str, **terms: Any) -> tuple[list[Customer], ServiceId, str]:
    with pool.transaction() as conn:
        given = Given(conn)
        return [given.customer(balance) for balance in balances], given.service(), given.coupon(**terms)


def placing(pool: Pool, drafts: Sequence[Draft]) -> Callable[[], Answers]:
    def run() -> Answers:
        with pool.transaction() as conn:
            return place(conn, drafts)

    return run


def outcomes(results: Sequence[Answers | Exception]) -> Counter[type]:
    found: Counter[type] = Counter()
    for result in results:
        assert not isinstance(result, Exception), result
        found.update(type(answer) for answer in result)
    return found


def used(pool: Pool, code: str) -> int:
    """Return how often a coupon was used; the books must be right."""
    with pool.transaction() as conn:
        Given(conn).assert_books()
        [row] = [row for row in coupons.every(conn) if row["coupon"] == code]
        return int(row["uses"])


def test_of_fifty_callers_who_race_for_the_last_use_exactly_one_gets_it(wide_pool: Pool) -> None:
    customers, service, code = start(wide_pool, *["1"] * CALLERS, most_uses=1)
    calls = [placing(wide_pool, [draft(customer, service, coupon=code)]) for customer in customers]
    assert outcomes(at_once(calls)) == {Placed: 1, InvalidCoupon: CALLERS - 1}
    assert used(wide_pool, code) == 1


def test_of_fifty_calls_of_an_account_for_its_last_use_exactly_one_gets_it(wide_pool: Pool) -> None:
    [customer], service, code = start(wide_pool, "100", most_per_account=1)
    calls = [placing(wide_pool, [draft(customer, service, coupon=code)]) for _ in range(CALLERS)]
    assert outcomes(at_once(calls)) == {Placed: 1, InvalidCoupon: CALLERS - 1}
    assert used(wide_pool, code) == 1


def test_of_fifty_twins_with_a_coupon_one_order_is_made_and_one_use_counted(wide_pool: Pool) -> None:
    [customer], service, code = start(wide_pool, "1", most_uses=1)
    wanted = draft(customer, service, coupon=code, request_id="twin")
    results = at_once([placing(wide_pool, [wanted])] * CALLERS)
    assert outcomes(results) == {Placed: CALLERS}
    placed = [a for result in results if isinstance(result, list) for a in result if isinstance(a, Placed)]
    assert len({answer.order_id for answer in placed}) == 1
    assert sum(not answer.replayed for answer in placed) == 1
    assert used(wide_pool, code) == 1


def test_a_coupon_for_all_of_the_charge_is_no_way_to_money_however_many_try(wide_pool: Pool) -> None:
    customers, service, code = start(
        wide_pool, *["0"] * 10, percent=Decimal(100), most_uses=7, most_per_account=1
    )
    calls = [placing(wide_pool, [draft(c, service, coupon=code)]) for c in customers for _ in range(5)]
    assert outcomes(at_once(calls)) == {Placed: 7, InvalidCoupon: CALLERS - 7}
    assert used(wide_pool, code) == 7
    with wide_pool.transaction() as conn:
        assert {Given(conn).balance(customer) for customer in customers} == {0}


def test_sets_that_share_wallets_and_coupons_in_different_order_never_wait_in_a_circle(
    fresh_pool: Pool,
) -> None:
    customers, service, first = start(fresh_pool, *["50"] * 8)
    with fresh_pool.transaction() as conn:
        codes = [first, Given(conn).coupon(), Given(conn).coupon(most_uses=60)]

    def work(order: Sequence[Customer], mine: Sequence[str]) -> Callable[[], Answers]:
        def run() -> Answers:
            return [
                answer
                for _ in range(5)
                for answer in placing(
                    fresh_pool, [draft(c, service, coupon=mine[n % 3]) for n, c in enumerate(order)]
                )()
            ]

        return run

    neighbours = [[customers[n], customers[n - 1]] * 3 for n in range(8)]
    turns = [codes, codes[::-1], [codes[1], codes[2], codes[0]], [codes[2], codes[0], codes[1]]] * 2
    results = at_once([work(o, t) for o, t in zip(neighbours, turns, strict=True)])
    found = outcomes(results)
    counts = [used(fresh_pool, code) for code in codes]
    assert found[Placed] == sum(counts)
    assert found[Placed] + found[InvalidCoupon] == 8 * 5 * 6
    assert counts[2] == 60
