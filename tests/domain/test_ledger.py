"""Laws of wallets: credited once, never overdrawn, and nothing moves without a trace."""

from collections.abc import Callable

import psycopg
import pytest
from threads import at_once

from given import Customer, Given
from panelry.database.pool import Conn, Pool
from panelry.domain import ids, ledger, money
from panelry.domain.accounts import AccountId
from panelry.domain.ledger import (
    SALES,
    WALLET,
    AmountNotPositive,
    Entry,
    InsufficientBalance,
    ReferenceReused,
    WalletFull,
)
from panelry.domain.money import LARGEST, Micros


def credited(
    conn: Conn, account: AccountId, micros: int, *, reference: str | None = None, gateway: str = "manual"
) -> int:
    return ledger.credit(
        conn, account, Micros(micros), source=ledger.deposit(gateway), reason="deposit", actor="staff", reference=reference
    )  # fmt: skip


def spending(micros: int) -> Entry:
    return Entry(
        posting=ids.new(), source=WALLET, target=SALES, amount_micros=Micros(micros), reason="order", actor="customer"
    )  # fmt: skip


def transfers(conn: Conn, customer: Customer) -> int:
    query = "SELECT count(*) FROM transfers WHERE account_id = %s"
    [[count]] = conn.execute(query, [customer.account]).fetchall()
    return int(count)


def test_an_account_without_a_wallet_has_nothing(conn: Conn, given: Given) -> None:
    customer = given.customer()
    assert ledger.balances(conn, [customer.account, AccountId(ids.new())]) == [0, 0]


def test_balances_come_in_the_order_in_which_they_were_asked(conn: Conn, given: Given) -> None:
    rich, poor = given.customer("5"), given.customer("0.000001")
    asked = [poor.account, rich.account, poor.account]
    assert ledger.balances(conn, asked) == [1, 5_000_000, 1]


def test_a_credit_with_a_reference_is_booked_once(conn: Conn, given: Given) -> None:
    customer = given.customer()
    assert [credited(conn, customer.account, 700, reference="r") for _ in range(3)] == [700] * 3
    assert transfers(conn, customer) == 1


def test_a_repeated_credit_tells_the_balance_of_now(conn: Conn, given: Given) -> None:
    customer = given.customer()
    credited(conn, customer.account, 700, reference="r")
    credited(conn, customer.account, 1)
    assert credited(conn, customer.account, 700, reference="r") == 701


@pytest.mark.parametrize(("micros", "gateway"), [(701, "manual"), (699, "manual"), (700, "card")])
def test_a_reference_is_never_booked_for_something_else(
    conn: Conn, given: Given, micros: int, gateway: str
) -> None:
    customer = given.customer()
    credited(conn, customer.account, 700, reference="r")
    with pytest.raises(ReferenceReused):
        credited(conn, customer.account, micros, reference="r", gateway=gateway)
    assert (given.balance(customer), transfers(conn, customer)) == (700, 1)


def test_credits_without_a_reference_are_each_booked(conn: Conn, given: Given) -> None:
    customer = given.customer()
    assert [credited(conn, customer.account, 5) for _ in range(3)] == [5, 10, 15]


@pytest.mark.parametrize("micros", [0, -1, -(10**12)])
def test_only_more_than_nothing_can_be_moved(conn: Conn, given: Given, micros: int) -> None:
    customer = given.customer("1")
    with pytest.raises(AmountNotPositive):
        credited(conn, customer.account, micros)
    assert given.balance(customer) == 1_000_000


def test_a_wallet_can_be_emptied_to_the_last_micro_and_no_further(conn: Conn, given: Given) -> None:
    customer = given.customer("1")
    with pytest.raises(InsufficientBalance):
        ledger.transfer(conn, customer.account, spending(1_000_001))
    assert ledger.transfer(conn, customer.account, spending(1_000_000)) == 0
    with pytest.raises(InsufficientBalance):
        ledger.transfer(conn, customer.account, spending(1))
    assert transfers(conn, customer) == 2


def test_a_refused_transfer_does_not_use_up_its_reference(conn: Conn, given: Given) -> None:
    customer = given.customer()
    entry = Entry(
        posting=ids.new(), source=WALLET, target=SALES, amount_micros=Micros(5), reason="r", actor="a", reference="once"
    )  # fmt: skip
    with pytest.raises(InsufficientBalance):
        ledger.transfer(conn, customer.account, entry)
    credited(conn, customer.account, 9)
    assert ledger.transfer(conn, customer.account, entry) == 4


def test_an_unknown_book_is_refused_by_the_database(conn: Conn, given: Given) -> None:
    customer = given.customer()
    with pytest.raises(psycopg.errors.CheckViolation):
        ledger.credit(conn, customer.account, Micros(1), source="gift", reason="", actor="", reference=None)


def test_concurrent_credits_never_lose_one(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        customer = Given(conn).customer()

    def work() -> None:
        for number in range(25):
            with fresh_pool.transaction() as conn:
                credited(conn, customer.account, 1 + number)

    assert at_once([work] * 8) == [None] * 8
    with fresh_pool.transaction() as conn:
        assert Given(conn).balance(customer) == 8 * sum(range(1, 26))
        assert transfers(conn, customer) == 200
        Given(conn).assert_books()


def test_one_reference_from_many_at_once_is_booked_once(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        customer = Given(conn).customer()

    def work() -> int:
        with fresh_pool.transaction() as conn:
            return credited(conn, customer.account, 500, reference="the same")

    assert at_once([work] * 10) == [500] * 10
    with fresh_pool.transaction() as conn:
        assert transfers(conn, customer) == 1
        Given(conn).assert_books()


def test_of_many_that_spend_the_last_money_at_once_one_succeeds(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        customer = Given(conn).customer("1")

    def work() -> int:
        with fresh_pool.transaction() as conn:
            return ledger.transfer(conn, customer.account, spending(money.parse("0.6")))

    results = at_once([work] * 8)
    assert results.count(400_000) == 1
    assert sum(isinstance(result, InsufficientBalance) for result in results) == 7


def test_wallets_of_several_accounts_are_locked_in_one_order_whatever_was_asked(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        accounts = [Given(conn).customer("1").account for _ in range(6)]

    def work(order: list[AccountId]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(20):
                with fresh_pool.transaction() as conn:
                    assert set(ledger.lock(conn, order)) == set(order)

        return run

    assert (
        at_once([work(accounts), work(accounts[::-1]), work(accounts[::2] + accounts[1::2])] * 2)
        == [None] * 6
    )


def test_wallets_are_opened_once_by_however_many_need_them_first(fresh_pool: Pool) -> None:
    with fresh_pool.transaction() as conn:
        accounts = [Given(conn).customer().account for _ in range(5)]

    def work() -> None:
        with fresh_pool.transaction() as conn:
            for account in accounts:
                credited(conn, account, 1)

    assert at_once([work] * 6) == [None] * 6
    with fresh_pool.transaction() as conn:
        assert ledger.balances(conn, accounts) == [6] * 5


def test_suspense_is_listed_until_it_is_settled(conn: Conn, given: Given) -> None:
    customer = given.customer("1")
    order = ids.new()

    def between(source: str, target: str) -> None:
        entry = Entry(
            posting=ids.new(), source=source, target=target, amount_micros=Micros(7), reason="r", actor="a", order_id=order
        )  # fmt: skip
        ledger.transfer(conn, customer.account, entry)

    between(WALLET, ledger.SUSPENSE)
    [(account, about, micros, _)] = [row for row in ledger.suspense(conn) if row[0] == customer.account]
    assert (account, about, micros) == (customer.account, order, 7)
    between(ledger.SUSPENSE, WALLET)
    assert [row for row in ledger.suspense(conn) if row[0] == customer.account] == []


def test_a_wallet_never_holds_more_than_its_column_can(conn: Conn, given: Given) -> None:
    customer = given.customer()
    credited(conn, customer.account, LARGEST)
    with pytest.raises(WalletFull):
        credited(conn, customer.account, 1)
    assert given.balance(customer) == LARGEST
