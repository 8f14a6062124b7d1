"""What can be asked about accounts."""

from collections.abc import Sequence

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
    rows = SQL["identify"](conn, digests=list(set(digests)))
    found = {digest: (AccountId(id_), state) for digest, id_, state in rows}
    return [caller_from(found.get(digest)) for digest in digests]


def caller_from(found: tuple[AccountId, str] | None) -> AccountId | InvalidApiKey | AccountSuspended:
    """Judge who is calling by what was found of them: an account with its state, or nothing."""
    if found is None:
        return InvalidApiKey()
    return found[0] if found[1] == AccountState.ACTIVE else AccountSuspended()


def by_email(conn: Conn, email: str) -> Account:
    """Find the account that a person logs in to. Raises `AccountNotFound`."""
    row = SQL["account_by_email"](conn, email=rules.normal_email(email) or email).fetchone()
    if row is None:
        raise AccountNotFound(email=email[:254])
    return Account(id=AccountId(row[0]), email=row[1], state=AccountState(row[2]))
