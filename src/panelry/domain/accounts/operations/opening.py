"""Opening accounts and log-ins, and letting them act."""

from pathlib import Path

from argon2 import PasswordHasher

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import ids
from panelry.domain.accounts import rules
from panelry.domain.accounts.values import (
    Account,
    AccountId,
    AccountState,
    EmailTaken,
    InvalidEmail,
    PasswordTooShort,
    TierNotFound,
)

SQL = Statements(Path(__file__).parents[1] / "statements")
# Django's own parameters, so that a log-in never has to hash the password again; it counts a salt's bytes as letters.
_HASHER = PasswordHasher(time_cost=2, memory_cost=102_400, parallelism=8, salt_len=22)


def create(
    conn: Conn, email: str, *, password: str | None, tier: str = "Standard", staff: bool = False
) -> Account:
    """Make an account and the person who logs in to it; without a password nobody can log in yet.

    Raises `InvalidEmail`, `EmailTaken`, `PasswordTooShort` or `TierNotFound`.
    """
    address = rules.normal_email(email)
    if address is None:
        raise InvalidEmail(email=email[:254])
    if password is not None and len(password) < rules.MIN_PASSWORD:
        raise PasswordTooShort
    account_id = AccountId(ids.new())
    with conn.transaction():  # a refusal leaves nothing behind, also where the caller goes on
        if SQL["insert_account"](conn, id=account_id, tier=tier).fetchone() is None:
            raise TierNotFound(tier=tier)
        user = SQL["insert_user"](
            conn,
            id=ids.new(),
            email=address,
            password=_hashed(password),
            account_id=account_id,
            is_staff=staff,
        )
        if user.fetchone() is None:
            raise EmailTaken(email=address)
    return Account(id=account_id, email=address, state=AccountState.ACTIVE)


def suspend(conn: Conn, account_id: AccountId) -> None:
    """Let the account do nothing from its next request on."""
    SQL["set_state"](conn, account_id=account_id, state=AccountState.SUSPENDED)


def resume(conn: Conn, account_id: AccountId) -> None:
    """Let a suspended account act again."""
    SQL["set_state"](conn, account_id=account_id, state=AccountState.ACTIVE)


def _hashed(password: str | None) -> str:
    return "!" if password is None else "argon2" + _HASHER.hash(password)
