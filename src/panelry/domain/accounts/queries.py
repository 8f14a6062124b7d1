"""What can be asked about accounts."""

from collections.abc import Mapping, Sequence

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain.accounts import rules
from panelry.domain.accounts.values import (
    Account,
    AccountId,
    AccountNotFound,
    AccountState,
    AccountSuspended,
    InvalidApiKey,
    KeyDigest,
)

SQL = Statements.beside(__file__)


def identify(conn: Conn, digests: Sequence[KeyDigest]) -> list[AccountId | InvalidApiKey | AccountSuspended]:
    """Tell for each key digest whose it is; read from the database each time, so that a revocation counts at once."""
    return callers(SQL["identify"](conn, digests=list(set(digests))).fetchall(), digests)


def callers(
    rows: Sequence[tuple[bytes, AccountId, str]], digests: Sequence[KeyDigest]
) -> list[AccountId | InvalidApiKey | AccountSuspended]:
    """Sort the rows of `identify` to the digests that were asked for."""
    found: Mapping[bytes, tuple[AccountId, str]] = {
        bytes(digest): (id_, state) for digest, id_, state in rows
    }
    return [_caller(found.get(digest)) for digest in digests]


def by_email(conn: Conn, email: str) -> Account:
    """Find the account that a person logs in to. Raises `AccountNotFound`."""
    row = SQL["account_by_email"](conn, email=rules.normal_email(email) or email).fetchone()
    if row is None:
        raise AccountNotFound(email=email[:254])
    return Account(id=AccountId(row[0]), email=row[1], state=AccountState(row[2]))


def _caller(found: tuple[AccountId, str] | None) -> AccountId | InvalidApiKey | AccountSuspended:
    if found is None:
        return InvalidApiKey()
    return found[0] if found[1] == AccountState.ACTIVE else AccountSuspended()
