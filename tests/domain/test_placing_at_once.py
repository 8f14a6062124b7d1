"""Placing from many places at once: one order for twins, no money spent twice, nobody waits in a circle."""

from collections import Counter
from collections.abc import Callable, Sequence

import psycopg
from threads import at_once

from given import Customer, Given, draft
from panelry.database.pool import Pool
from panelry.domain import accounts
from panelry.domain.catalog import ServiceId
from panelry.domain.ledger import InsufficientBalance
from panelry.domain.orders import Draft, Placed, RequestIdReused, place
from panelry.domain.refusals import Refusal

Answers = list[Placed | Refusal]


def start(pool: Pool, *balances: str) -> tuple[list[Customer], ServiceId]:
    with pool.transaction() as conn:
        given = Given(conn)
        return [given.customer(balance) for balance in balances], given.service()


def placing(pool: Pool, drafts: Sequence[Draft]) -> Callable[[], Answers]:
    def run() -> Answers:
        with pool.transaction() as conn:
            return place(conn, drafts)

    return run


def all_answers(results: Sequence[Answers | Exception]) -> Answers:
    found: Answers = []
    for result in results:
        assert not isinstance(result, Exception), result
        found.extend(result)
    return found


def balance_after(pool: Pool, customer: Customer) -> int:
    with pool.transaction() as conn:
        given = Given(conn)
        given.assert_books()
        return given.balance(customer)


def test_ten_twins_at_once_are_one_order_and_get_the_same_answer(fresh_pool: Pool) -> None:
    [customer], service = start(fresh_pool, "10")
    wanted = draft(customer, service, request_id="twin")
    answers = all_answers(at_once([placing(fresh_pool, [wanted])] * 10))
    placed = [answer for answer in answers if isinstance(answer, Placed)]
    assert len(placed) == 10
    assert len({answer.order_id for answer in placed}) == 1
    assert sorted(answer.replayed for answer in placed) == [False] + [True] * 9
    assert balance_after(fresh_pool, customer) == 9_900_000


def test_ten_twins_of_an_account_that_has_no_wallet_yet_are_refused_and_nothing_breaks(
    fresh_pool: Pool,
) -> None:
    [customer], service = start(fresh_pool, "0")
    answers = all_answers(at_once([placing(fresh_pool, [draft(customer, service, request_id="twin")])] * 10))
    assert {type(answer) for answer in answers} == {InsufficientBalance}
    assert balance_after(fresh_pool, customer) == 0


def test_of_quarrelling_twins_one_wins_and_the_others_are_told(fresh_pool: Pool) -> None:
    [customer], service = start(fresh_pool, "10")
    calls = [
        placing(fresh_pool, [draft(customer, service, request_id="r", quantity=100 + n)]) for n in range(10)
    ]
    assert Counter(map(type, all_answers(at_once(calls)))) == {Placed: 1, RequestIdReused: 9}


def test_money_for_37_orders_places_exactly_37_of_160_sent_one_by_one_at_once(fresh_pool: Pool) -> None:
    [customer], service = start(fresh_pool, "3.75")

    def work() -> Answers:
        return [answer for _ in range(16) for answer in placing(fresh_pool, [draft(customer, service)])()]

    answers = all_answers(at_once([work] * 10))
    assert Counter(map(type, answers)) == {Placed: 37, InsufficientBalance: 123}
    assert balance_after(fresh_pool, customer) == 50_000


def test_money_for_37_orders_places_exactly_37_of_160_sent_in_sets_at_once(fresh_pool: Pool) -> None:
    [customer], service = start(fresh_pool, "3.75")
    calls = [placing(fresh_pool, [draft(customer, service) for _ in range(20)]) for _ in range(8)]
    assert Counter(map(type, all_answers(at_once(calls)))) == {Placed: 37, InsufficientBalance: 123}
    assert balance_after(fresh_pool, customer) == 50_000


def test_sets_that_want_the_same_wallets_in_different_order_never_wait_in_a_circle(fresh_pool: Pool) -> None:
    customers, service = start(fresh_pool, *["50"] * 12)

    def work(order: Sequence[Customer]) -> Callable[[], Answers]:
        def run() -> Answers:
            return [
                answer
                for _ in range(10)
                for answer in placing(fresh_pool, [draft(customer, service) for customer in order])()
            ]

        return run

    orders = [customers, customers[::-1], customers[::2] + customers[1::2], customers[6:] + customers[:6]]
    answers = all_answers(at_once([work(order) for order in orders * 2]))
    assert Counter(map(type, answers)) == {Placed: 8 * 10 * 12}
    assert balance_after(fresh_pool, customers[0]) == 50_000_000 - 80 * 100_000


def test_new_accounts_that_order_for_the_first_time_at_once_never_wait_in_a_circle(fresh_pool: Pool) -> None:
    for _ in range(5):
        customers, service = start(fresh_pool, *["0"] * 12)
        calls = [
            placing(fresh_pool, [draft(customer, service) for customer in order])
            for order in (customers, customers[::-1], customers[3:9], customers[8:2:-1]) * 2
        ]
        assert {type(answer) for answer in all_answers(at_once(calls))} == {InsufficientBalance}


def test_a_key_that_was_revoked_while_a_set_was_running_is_refused_by_the_next(fresh_pool: Pool) -> None:
    [customer], service = start(fresh_pool, "10")
    placing(fresh_pool, [draft(customer, service)])()
    with fresh_pool.transaction() as conn:
        Given(conn).revoke(customer.key)
    [answer] = placing(fresh_pool, [draft(customer, service)])()
    assert isinstance(answer, accounts.InvalidApiKey)


def test_deposits_and_orders_at_once_lose_nothing(fresh_pool: Pool) -> None:
    [customer], service = start(fresh_pool, "1")

    def deposits() -> Answers:
        for number in range(20):
            with fresh_pool.transaction() as conn:
                Given(conn).deposit(customer.account, "0.10", reference=f"deposit {number}")
        return []

    def orders() -> Answers:
        return [answer for _ in range(20) for answer in placing(fresh_pool, [draft(customer, service)])()]

    answers = all_answers(at_once([deposits, deposits, orders, orders]))
    placed = sum(isinstance(answer, Placed) for answer in answers)
    assert balance_after(fresh_pool, customer) == 3_000_000 - placed * 100_000


def test_answers_are_true_only_once_they_are_committed(fresh_pool: Pool) -> None:
    [customer], service = start(fresh_pool, "1")
    wanted = draft(customer, service, request_id="r")
    with fresh_pool.transaction() as conn:
        place(conn, [wanted])
        raise psycopg.Rollback
    [answer] = placing(fresh_pool, [wanted])()
    assert isinstance(answer, Placed)
    assert not answer.replayed
    assert balance_after(fresh_pool, customer) == 900_000
