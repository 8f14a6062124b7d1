"""What can be asked about accounts."""

from collections.abc import Sequence
from decimal import Decimal

from panelry.database.pool import Conn
from panelry.database.statements import Statements
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
    KeyDigest,
    KeyId,
)

SQL = Statements.beside(__file__)


def identify(conn: Conn, digests: Sequence[KeyDigest]) -> list[Caller | InvalidApiKey]:
    """Tell for each key digest who calls; read from the database each time, so that a revocation counts at once.

    A suspended account is a caller, too: its requests count against its limits before it is turned away.
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
