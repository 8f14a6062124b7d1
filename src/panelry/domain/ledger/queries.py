"""What can be asked of the books: balances, and whether everything in them is as it was written."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, groupby
from typing import Any, Final

from psycopg import Cursor, ServerCursor
from psycopg.rows import tuple_row

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import ids
from panelry.domain.accounts import AccountId
from panelry.domain.ledger import rules
from panelry.domain.ledger.values import WALLET, Entry, Finding, Wallet
from panelry.domain.money import Micros

SQL = Statements.beside(__file__)
_PAGE: Final = 5_000


@dataclass(slots=True)
class Verification:
    """The result of going through the books: how much was read, and what is wrong (first row of each wallet)."""

    transfers: int = 0
    wallets: int = 0
    wrong: list[Finding] = field(default_factory=list)


def balances(conn: Conn, account_ids: Sequence[AccountId]) -> list[Micros]:
    """Return what each wallet holds, in micros."""
    found: dict[AccountId, int] = dict(SQL["balances"](conn, account_ids=list(set(account_ids))).fetchall())
    return [Micros(found.get(id_, 0)) for id_ in account_ids]


def deposited(conn: Conn, account_id: AccountId) -> Micros:
    """Return an account's lifetime deposits: what came in by all gateways, less what went back by them."""
    [[total]] = SQL["deposited"](conn, account_id=account_id).fetchall()
    return Micros(total)


def begin_now(conn: Conn) -> Cursor[Row]:
    """Ask for the time by which the books are kept without waiting for the answer: one row, one column."""
    return SQL["now"](conn)


def now(conn: Conn) -> datetime:
    """Return the time by which the books are kept: the database's."""
    [at] = begin_now(conn).fetchall()[0]
    assert isinstance(at, datetime)
    return at


def expected_transfers(conn: Conn) -> int:
    """Estimate how many transfers `verify` will read, for a progress bar."""
    [count] = SQL["count_transfers"](conn).fetchall()[0]
    return int(count)


def suspense(conn: Conn) -> list[tuple[AccountId, Any, Micros, datetime]]:
    """List what stands in suspense, oldest first: account, order id, micros, since when."""
    return [(AccountId(a), o, Micros(m), at) for a, o, m, at in SQL["suspense"](conn).fetchall()]


def verify(conn: Conn, *, progress: Callable[[int], None] = lambda _: None) -> Verification:
    """Recompute every wallet from its transfers: versions, balances, hashes. `progress` gets rows read so far.

    Run it in a REPEATABLE READ transaction where others write.
    """
    result = Verification()
    for _, rows in groupby(_every_transfer(conn, result, progress), key=lambda row: row[0]):
        result.wallets += 1
        finding = _first_wrong(rows)
        if finding is not None:
            result.wrong.append(finding)
    for account_id, version in SQL["transfers_without_wallet"](conn).fetchall():
        result.transfers += 1
        result.wrong.append(_finding(account_id, version, "belongs to no wallet"))
    return result


def _every_transfer(conn: Conn, result: Verification, progress: Callable[[int], None]) -> Iterator[Row]:
    with ServerCursor(conn, "verify", row_factory=tuple_row) as cursor:
        cursor.itersize = _PAGE
        cursor.execute(SQL["every_transfer"].query, {}, binary=True)
        for row in cursor:
            result.transfers += row[4] is not None
            if result.transfers % _PAGE == 0:
                progress(result.transfers)
            yield row
    progress(result.transfers)


def _first_wrong(rows: Iterator[Row]) -> Finding | None:
    """Walk one wallet's chain and name the first row that is not what its neighbours say."""
    first = next(rows)
    account_id, balance, version, head = first[:4]
    at_row = Wallet(account_id=account_id)
    for row in chain([first], rows) if first[4] is not None else ():
        problem, at_row = _step(at_row, row[4:])
        if problem:
            return _finding(account_id, row[4], problem)
    stored = (balance, version, bytes(head))
    if stored != (at_row.balance_micros, at_row.version, at_row.head):
        found = f"wallet says balance {balance} at version {version}, its transfers {at_row.balance_micros} at {at_row.version}"
        return Finding(account=ids.show(ids.ACCOUNT, account_id), row="wallet", problem=found)
    return None


def _step(wallet: Wallet, row: Row) -> tuple[str, Wallet]:
    version, posting, source, target, amount, balance, order_id, reference, reason, actor, at, stored = row
    entry = Entry(
        posting=posting,
        source=source,
        target=target,
        amount_micros=amount,
        reason=reason,
        actor=actor,
        order_id=order_id,
        reference=reference,
    )
    change = amount if target == WALLET else -amount
    expected = rules.chain_hash(wallet.head, wallet, version, entry, balance, at) if at is not None else None
    after = Wallet(
        account_id=wallet.account_id, balance_micros=Micros(balance), version=version, head=bytes(stored)
    )
    if version != wallet.version + 1:
        return f"follows version {wallet.version}: a row between is missing", after
    if balance != wallet.balance_micros + change:
        return f"balance {balance} does not follow from {wallet.balance_micros} and {change}", after
    if expected != bytes(stored):
        return "its hash does not match the row: something in it was changed", after
    return "", after


def _finding(account_id: AccountId, version: int, problem: str) -> Finding:
    return Finding(account=ids.show(ids.ACCOUNT, account_id), row=f"transfer {version}", problem=problem)
