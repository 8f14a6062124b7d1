"""All that changes wallets and transfers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import Cursor

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import ids, webhooks
from panelry.domain.accounts import AccountId
from panelry.domain.events import Event
from panelry.domain.ledger import rules
from panelry.domain.ledger.values import (
    WALLET,
    AmountNotPositive,
    Entry,
    ReferenceReused,
    Transfer,
    Wallet,
)
from panelry.domain.money import Micros

SQL = Statements.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Wallets that were told to move; how many did is known when the pipeline has ended."""

    moved: int = 0
    updated: Cursor[Row] | None = None

    def check(self) -> None:
        """Assert that all moved: they were locked."""
        assert self.updated is None or self.updated.rowcount == self.moved, "a locked wallet moved"


def lock(conn: Conn, account_ids: Iterable[AccountId]) -> dict[AccountId, Wallet]:
    """Lock the wallets of these accounts, opening those that are missing. Nobody else moves them until the end."""
    wanted = sorted(set(account_ids))
    if not wanted:
        return {}
    rows = SQL["lock_wallets"](conn, account_ids=wanted).fetchall()
    if len(rows) < len(wanted):
        SQL["open_wallets"](conn, account_ids=wanted)
        rows = SQL["lock_wallets"](conn, account_ids=wanted).fetchall()
    return wallets_from(rows)


def wallets_from(rows: Sequence[Row]) -> dict[AccountId, Wallet]:
    """Read the rows of `lock_wallets`."""
    return {
        id_: Wallet(
            account_id=id_,
            balance_micros=Micros(balance),
            version=version,
            head=bytes(head),
            low_balance_micros=low,
        )
        for id_, balance, version, head, low in rows
    }


def store(
    conn: Conn, before: Mapping[AccountId, Wallet], after: Iterable[Wallet], transfers: Sequence[Transfer]
) -> None:
    """Write locked wallets as `rules.post` left them, and the transfers that got them there.

    Whose wallet fell below its threshold by all of them together is told.
    """
    with conn.pipeline():
        stored = begin_store(conn, before, after, transfers)
    stored.check()


def begin_store(
    conn: Conn, before: Mapping[AccountId, Wallet], after: Iterable[Wallet], transfers: Sequence[Transfer]
) -> Stored:
    """Do what `store` does without waiting, for a pipeline that goes on; check what it returns when that has ended."""
    moved = [wallet for wallet in after if wallet.version != before[wallet.account_id].version]
    assert sum(w.version - before[w.account_id].version for w in moved) == len(transfers)
    if not moved:
        return Stored()
    updated = SQL["move_wallets"](
        conn,
        account_ids=[w.account_id for w in moved],
        from_versions=[before[w.account_id].version for w in moved],
        versions=[w.version for w in moved],
        balances=[w.balance_micros for w in moved],
        heads=[w.head for w in moved],
    )
    SQL["insert_transfers"](
        conn,
        account_ids=[t.account_id for t in transfers],
        versions=[t.version for t in transfers],
        postings=[t.entry.posting for t in transfers],
        sources=[t.entry.source for t in transfers],
        targets=[t.entry.target for t in transfers],
        amounts=[t.entry.amount_micros for t in transfers],
        balances=[t.balance_micros for t in transfers],
        order_ids=[t.entry.order_id for t in transfers],
        refs=[t.entry.reference for t in transfers],
        reasons=[t.entry.reason for t in transfers],
        actors=[t.entry.actor for t in transfers],
        ats=[t.at for t in transfers],
        hashes=[t.hash for t in transfers],
    )
    fallen = [wallet for wallet in moved if rules.fell_low(before[wallet.account_id], wallet)]
    webhooks.tell(conn, [_low(wallet, transfers) for wallet in fallen])
    return Stored(moved=len(moved), updated=updated)


def transfer(conn: Conn, account_id: AccountId, *entries: Entry) -> Micros:
    """Move money once, by one entry or the several of one act, and return the balance after it.

    An entry with a reference that is already booked changes nothing. Raises `InsufficientBalance`,
    `AmountNotPositive`, or `ReferenceReused` when the reference was booked for something else.
    """
    if any(entry.amount_micros <= 0 for entry in entries):
        raise AmountNotPositive
    before = lock(conn, [account_id])
    wallet = before[account_id]
    new = [entry for entry in entries if not _is_booked(conn, account_id, entry)]
    [at] = SQL["now"](conn).fetchall()[0]
    transfers = []
    for entry in new:
        wallet, written = rules.post(wallet, entry, at=at)
        transfers.append(written)
    store(conn, before, [wallet], transfers)
    return wallet.balance_micros


def credit(
    conn: Conn,
    account_id: AccountId,
    amount: Micros,
    *,
    source: str,
    reason: str,
    actor: str,
    reference: str | None,
) -> Micros:
    """Add money to a wallet from another book, such as `deposit("manual")`; see `transfer`."""
    entry = Entry(
        posting=ids.new(),
        source=source,
        target=WALLET,
        amount_micros=amount,
        reason=reason,
        actor=actor,
        reference=reference,
    )
    return transfer(conn, account_id, entry)


def set_low_balance(conn: Conn, account_id: AccountId, low: Micros | None) -> None:
    """Tell the owner from now on whenever the wallet falls below this, or do not (`None`).

    Nothing is told of a wallet that holds less already. Raises `AmountNotPositive`.
    """
    if low is not None and low <= 0:
        raise AmountNotPositive
    lock(conn, [account_id])
    SQL["set_low_balance"](conn, account_id=account_id, low=low)


def _is_booked(conn: Conn, account_id: AccountId, entry: Entry) -> bool:
    if entry.reference is None:
        return False
    booked = SQL["by_reference"](conn, account_id=account_id, reference=entry.reference).fetchone()
    if booked is not None and booked != (entry.source, entry.target, entry.amount_micros):
        raise ReferenceReused(reference=entry.reference)
    return booked is not None


def _low(wallet: Wallet, transfers: Sequence[Transfer]) -> Event:
    last = next(t for t in reversed(transfers) if t.account_id == wallet.account_id)
    return Event(
        id=ids.new(),
        account_id=wallet.account_id,
        subject=wallet.account_id,
        sequence=wallet.version,
        type="balance.low",
        data={"balance_micros": wallet.balance_micros, "threshold_micros": wallet.low_balance_micros},
        actor=last.entry.actor,
        at=last.at,
    )
