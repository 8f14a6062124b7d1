"""What can be asked about accounts."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from psycopg import Cursor

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain.accounts import rules
from panelry.domain.accounts.values import (
    Account,
    AccountId,
    AccountNotFound,
    AccountState,
    AccountSuspended,
    Buyer,
    Caller,
    InvalidApiKey,
    Key,
    KeyDigest,
    KeyId,
    KeyNotFound,
    Tier,
    TierId,
)

SQL = Statements(Path(__file__).parent / "statements")


def identify(conn: Conn, digests: Sequence[KeyDigest]) -> list[Caller | InvalidApiKey]:
    """Tell for each key digest who calls; read from the database each time, so that a revocation counts at once.

    Keys are looked up by their SHA-256 and never compared here: how long that takes tells nothing about a key. A suspended account is a caller, too: its requests count against its limits before it is turned away.
    """
    found = {
        digest: Caller(
            key_id=KeyId(key_id),
            account_id=AccountId(account_id),
            state=AccountState(state),
            per_minute=per_minute,
            tier_per_minute=tier_per_minute,
            discount_percent=discount,
        )
        for digest, key_id, account_id, state, per_minute, tier_per_minute, discount in SQL["identify"](
            conn, digests=list(set(digests))
        )
    }
    return [found.get(digest) or InvalidApiKey() for digest in digests]


def begin_whose(conn: Conn, digests: Sequence[KeyDigest]) -> Cursor[Row]:
    """Ask without waiting which account each key acts for at this moment; `whose_from` reads the rows."""
    return SQL["whose"](conn, digests=list(set(digests)))


def whose_from(
    rows: Sequence[Row], digests: Sequence[KeyDigest]
) -> list[AccountId | InvalidApiKey | AccountSuspended]:
    """Tell for each key digest which account it acts for, or why it may not."""
    found = {digest: (account_id, state) for digest, account_id, state in rows}
    return [_owner(found.get(digest)) for digest in digests]


def _owner(found: tuple[AccountId, str] | None) -> AccountId | InvalidApiKey | AccountSuspended:
    if found is None:
        return InvalidApiKey()
    account_id, state = found
    return account_id if state == AccountState.ACTIVE else AccountSuspended()


def buyer_from(found: tuple[AccountId, str, Decimal] | None) -> Buyer | InvalidApiKey | AccountSuspended:
    """Judge who orders by what was found of them: an account with its state and its tier's discount, or nothing."""
    if found is None:
        return InvalidApiKey()
    account_id, state, discount = found
    if state != AccountState.ACTIVE:
        return AccountSuspended()
    return Buyer(account_id=account_id, discount_percent=discount)


def by_email(conn: Conn, email: str) -> Account:
    """Find the account that a person logs in to. Raises `AccountNotFound`."""
    row = SQL["account_by_email"](conn, email=rules.normal_email(email) or email).fetchone()
    if row is None:
        raise AccountNotFound(email=email[:254])
    return Account(id=AccountId(row[0]), email=row[1], state=AccountState(row[2]))


def people(conn: Conn, account_id: AccountId) -> list[str]:
    """Return the e-mail addresses of those who log in to an account."""
    return [email for [email] in SQL["people"](conn, account_id=account_id)]


def keys(conn: Conn, account_id: AccountId) -> list[Key]:
    """Return the account's keys that work, the oldest first."""
    return [_key(row) for row in SQL["active_keys"](conn, account_id=account_id)]


def key_by_prefix(conn: Conn, prefix: str) -> Key:
    """Find the key that begins like this, whosever it is; for operators. Raises `KeyNotFound`."""
    row = SQL["active_key_by_prefix"](conn, prefix=prefix).fetchone()
    if row is None:
        raise KeyNotFound(prefix=prefix[:40])
    return _key(row)


def tiers(conn: Conn) -> list[Tier]:
    """Return all tiers, the lowest first."""
    return [
        Tier(
            id=TierId(id_),
            name=name,
            per_minute=per_minute,
            threshold_micros=threshold,
            discount_percent=discount,
        )
        for id_, name, per_minute, threshold, discount in SQL["tiers"](conn)
    ]


def _key(row: Row) -> Key:
    id_, account_id, prefix, label, per_minute, created_at, rotated_at, last_used_at = row
    return Key(
        id=KeyId(id_),
        account_id=AccountId(account_id),
        prefix=prefix,
        label=label,
        per_minute=per_minute,
        created_at=created_at,
        rotated_at=rotated_at,
        last_used_at=last_used_at,
    )
