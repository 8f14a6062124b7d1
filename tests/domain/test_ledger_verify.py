"""Whatever is changed in the books behind their back is found and named."""

from dataclasses import dataclass

import pytest

from given import Customer, Given, draft
from panelry import clock
from panelry.database.pool import Conn, Pool
from panelry.domain import ids, ledger, orders
from panelry.domain.ledger import Finding

TRANSFER_COLUMNS = {
    "account_id": ["%(third)s"],
    "version": ["version + 100", "-version", "0"],
    "posting": ["gen_random_uuid()", "'00000000-0000-0000-0000-000000000000'"],
    "source": ["'bonus'", "'deposit:manua1'", "'deposit:'", "''"],
    "target": ["'fee'", "'wallets'", "'Wallet'"],
    "amount_micros": ["amount_micros + 1", "amount_micros - 1", "-amount_micros", "0", "9223372036854775807"],
    "balance_micros": ["balance_micros + 1", "-balance_micros", "-9223372036854775808"],
    "order_id": ["gen_random_uuid()", "NULL", "'00000000-0000-0000-0000-000000000000'"],
    "reference": ["'firsu'", "NULL", "''", "reference || ' '", "'-'"],
    "reason": ["reason || ' '", "''", "upper(reason)", "'a:b'"],
    "actor": ["'nobody'", "''", "actor || U&'\\0301'"],
    "at": ["at + interval '1 microsecond'", "at - interval '1 day'", "'infinity'", "'-infinity'", "'294276-01-01'",
           "'4713-01-01 BC'", "'9999-12-31 23:59:59.999999+00'"],
    "hash": ["sha256(hash)", "'\\x00'", "set_byte(hash, 0, get_byte(hash, 0) # 1)", "set_byte(hash, 31, get_byte(hash, 31) # 128)"],
}  # fmt: skip
CHANGES = [(column, value) for column, values in TRANSFER_COLUMNS.items() for value in values]
WALLET_CHANGES = [
    "balance_micros = balance_micros + 1", "balance_micros = balance_micros - 1", "version = version + 1",
    "version = version - 1", "version = 0", "head = set_byte(head, 17, get_byte(head, 17) # 1)", "head = '\\x'",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Books:
    """Books that somebody can write in who owns the database: no guard and no constraint is left."""

    conn: Conn
    customer: Customer
    other: Customer
    third: Customer

    def change(self, statement: str, version: int = 2) -> int:
        """Run a statement behind everybody's back and return how many rows it changed."""
        parameters = {
            "account": self.customer.account,
            "other": self.other.account,
            "third": self.third.account,
            "version": version,
        }
        return self.conn.execute(statement.encode(), parameters).rowcount

    def wrong(self) -> list[Finding]:
        return ledger.verify(self.conn).wrong

    def assert_named(self, *rows: str, customer: Customer | None = None) -> None:
        """Hold what is found for one customer against the rows that must be named."""
        shown = ids.show(ids.ACCOUNT, (customer or self.customer).account)
        assert [found.row for found in self.wrong() if found.account == shown] == list(rows)


@pytest.fixture
def books(conn: Conn, given: Given) -> Books:
    provider = given.provider()
    service = given.service(provider)
    customer, other = given.customer(), given.customer("3")
    given.deposit(customer.account, "5", reference="first")
    for _ in range(3):
        given.placed(customer, service)
    given.deposit(customer.account, "1", reference="second")
    conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    conn.execute("ALTER TABLE transfers DISABLE TRIGGER transfers_never_change")
    for [table, name] in conn.execute(
        "SELECT conrelid::regclass::text, conname FROM pg_constraint"
        " WHERE conrelid IN ('transfers'::regclass, 'wallets'::regclass) AND contype = 'c'"
    ).fetchall():
        conn.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    return Books(conn, customer, other, given.customer())


def test_books_that_nobody_touched_are_right(books: Books) -> None:
    books.assert_named()
    books.assert_named(customer=books.other)


@pytest.mark.parametrize(("column", "value"), CHANGES, ids=[f"{c}-{v}" for c, v in CHANGES])
@pytest.mark.parametrize("version", [1, 2, 5])
def test_a_change_of_any_column_of_a_transfer_is_found(
    books: Books, version: int, column: str, value: str
) -> None:
    statement = (
        "UPDATE transfers SET {0} = {1} WHERE account_id = %(account)s AND version = %(version)s"
        " AND {0} IS DISTINCT FROM {1}"
    )
    changed = books.change(statement.format(column, value), version)
    if changed:
        shown = ids.show(ids.ACCOUNT, books.customer.account)
        [found] = [f for f in books.wrong() if f.account == shown]
        moved = column in {"version", "account_id"}
        assert moved or found.row == f"transfer {version}", found


def test_a_transfer_that_was_given_to_another_account_is_found_in_both(books: Books) -> None:
    books.change(
        "UPDATE transfers SET account_id = %(other)s WHERE account_id = %(account)s AND version = %(version)s"
    )
    books.assert_named("transfer 3")
    books.assert_named("transfer 2", customer=books.other)


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_removed_transfer_is_found_at_the_one_that_followed_it(books: Books, version: int) -> None:
    books.change("DELETE FROM transfers WHERE account_id = %(account)s AND version = %(version)s", version)
    books.assert_named(f"transfer {version + 1}")


def test_a_removed_last_transfer_is_found_at_the_wallet(books: Books) -> None:
    books.change("DELETE FROM transfers WHERE account_id = %(account)s AND version = %(version)s", 5)
    books.assert_named("wallet")


def test_a_wallet_without_any_of_its_transfers_is_found(books: Books) -> None:
    books.change("DELETE FROM transfers WHERE account_id = %(account)s")
    books.assert_named("wallet")


def test_two_transfers_that_changed_places_are_found(books: Books) -> None:
    books.change(
        "UPDATE transfers SET version = 5 - version + 1000 WHERE account_id = %(account)s AND version IN (2, 3)"
    )
    books.change(
        "UPDATE transfers SET version = version - 1000 WHERE account_id = %(account)s AND version > 1000"
    )
    books.assert_named("transfer 2")


def test_a_row_that_was_added_is_found(books: Books) -> None:
    books.change(
        "INSERT INTO transfers SELECT account_id, 6, posting, source, target, amount_micros, balance_micros + amount_micros,"
        " order_id, NULL, reason, actor, at, hash FROM transfers WHERE account_id = %(account)s AND version = 5"
    )
    books.change(
        "UPDATE wallets SET version = 6, balance_micros = balance_micros + 1000000 WHERE account_id = %(account)s"
    )
    books.assert_named("transfer 6")


@pytest.mark.parametrize("change", WALLET_CHANGES)
def test_a_change_of_any_column_of_a_wallet_is_found(books: Books, change: str) -> None:
    assert books.change(f"UPDATE wallets SET {change} WHERE account_id = %(account)s") == 1  # noqa: S608 (constants)
    books.assert_named("wallet")


def test_money_in_a_wallet_that_no_transfer_brought_is_found(books: Books, given: Given) -> None:
    poor = given.customer()
    ledger.lock(books.conn, [poor.account])
    books.assert_named(customer=poor)
    books.conn.execute("UPDATE wallets SET balance_micros = 1 WHERE account_id = %s", [poor.account])
    books.assert_named("wallet", customer=poor)


def test_transfers_whose_wallet_was_removed_are_found(books: Books) -> None:
    books.change("DELETE FROM wallets WHERE account_id = %(account)s")
    books.assert_named(*[f"transfer {version}" for version in range(1, 6)])


def test_wallets_that_changed_owners_are_found(books: Books) -> None:
    books.change("DELETE FROM wallets WHERE account_id = %(other)s")
    books.change("UPDATE wallets SET account_id = %(other)s WHERE account_id = %(account)s")
    assert len(books.wrong()) >= 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE orders SET charge_micros = charge_micros + 1 WHERE account_id = %(account)s", "charge"),
        ("UPDATE orders SET refunded_micros = 1 WHERE account_id = %(account)s", "refunds"),
        ("UPDATE transfers SET order_id = NULL WHERE account_id = %(account)s AND version = 2", "charge"),
        (
            "UPDATE transfers SET order_id = gen_random_uuid() WHERE account_id = %(account)s AND version = 2",
            "exist",
        ),
        ("UPDATE orders SET sequence = sequence + 1 WHERE account_id = %(account)s", "timeline"),
        ("UPDATE orders SET service_id = 0 WHERE account_id = %(account)s", "does not exist"),
        ("UPDATE orders SET route_id = 0 WHERE account_id = %(account)s", "does not exist"),
        ("UPDATE orders SET provider_id = 0 WHERE account_id = %(account)s", "does not exist"),
    ],
)
def test_orders_that_the_books_do_not_bear_out_are_found(books: Books, change: str, problem: str) -> None:
    assert books.change(change) > 0
    assert any(problem in found.problem for found in orders.verify(books.conn))


def test_an_accepted_submission_without_its_cost_is_found(books: Books, given: Given) -> None:
    provider = given.provider()
    given.placed(books.customer, given.service(provider))
    tracked = given.accepted(provider)
    shown = ids.show(ids.SUBMISSION, tracked.submission_id)
    assert shown not in {found.row for found in orders.verify(books.conn)}
    books.conn.execute("DELETE FROM provider_costs WHERE submission_id = %s", [tracked.submission_id])
    assert shown in {found.row for found in orders.verify(books.conn)}


def test_an_event_that_was_removed_is_found(books: Books) -> None:
    books.conn.execute("ALTER TABLE events DISABLE TRIGGER events_never_change")
    books.change("DELETE FROM events WHERE account_id = %(account)s AND sequence = 1")
    assert len([f for f in orders.verify(books.conn) if "timeline" in f.problem]) >= 3


def test_books_of_many_orders_are_gone_through_quickly(
    fresh_pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    with fresh_pool.transaction() as conn:
        given = Given(conn)
        service = given.service(rate="0.01")
        customers = [given.customer("1000") for _ in range(40)]
    for number in range(80):
        with fresh_pool.transaction() as conn:
            drafts = [draft(customers[(number * 7 + n) % 40], service, quantity=10 + n) for n in range(256)]
            assert not any(isinstance(answer, Exception) for answer in orders.place(conn, drafts))
    with fresh_pool.transaction() as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        seen: list[int] = []
        began = clock.monotonic()
        result = ledger.verify(conn, progress=seen.append)
        seconds = clock.monotonic() - began
        assert (result.transfers, result.wallets, result.wrong) == (80 * 256 + 40, 40, [])
        assert seen == sorted(seen)
        assert seen[-1] == result.transfers
        assert orders.verify(conn) == []
    pace = f"{result.transfers} transfers verified in {seconds:.2f} s"
    with capsys.disabled():
        print(f"\n{pace}: {seconds / result.transfers * 1e6:.0f} s a million")  # noqa: T201 (for a person)
