"""All that changes API keys."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import ids
from panelry.domain.accounts import rules
from panelry.domain.accounts.values import (
    AccountId,
    AccountState,
    AccountSuspended,
    IssuedKey,
    KeyId,
    KeyMade,
    KeyNotFound,
    KeyRotated,
    TooManyKeys,
)

SQL = Statements(Path(__file__).parents[1] / "statements")


def create_key(
    conn: Conn,
    account_id: AccountId,
    *,
    label: str = "",
    per_minute: int | None = None,
    key_id: KeyId | None = None,
) -> IssuedKey:
    """Issue a key; it works from the commit on and is never shown again.

    Who may ask twice for one key says which: the second time is refused with `KeyMade`. Raises `TooManyKeys` when ten
    are active, also when many ask for the tenth at once; `AccountSuspended`, `InvalidLabel` or `InvalidLimit`.
    """
    rules.check_key(label, per_minute)
    _lock_active(conn, account_id)
    issued = _issued()
    with conn.transaction():  # a refusal leaves nothing behind, also where the caller goes on
        made = SQL["insert_key"](
            conn,
            id=key_id or ids.new(),
            account_id=account_id,
            prefix=issued.prefix,
            digest=rules.digest(issued.key),
            label=label,
            per_minute=per_minute,
        )
        if made.fetchone() is None:
            raise KeyMade
        [active] = SQL["count_active_keys"](conn, account_id=account_id).fetchall()[0]
        if active > rules.MAX_ACTIVE_KEYS:
            raise TooManyKeys(most=rules.MAX_ACTIVE_KEYS)
    return issued


def rotate_key(conn: Conn, account_id: AccountId, key_id: KeyId, *, prefix: str | None = None) -> IssuedKey:
    """Give a key another value: the old one is refused from the very next request on.

    Label, limit and webhooks stay. Who may ask twice says what the key begins with now: the second time is refused with
    `KeyRotated`. Raises `KeyNotFound` where the account has no such key, and `AccountSuspended`.
    """
    _lock_active(conn, account_id)
    known = SQL["active_prefix"](conn, account_id=account_id, id=key_id).fetchone()
    if known is None:
        raise KeyNotFound
    if prefix is not None and known != (prefix,):
        raise KeyRotated
    issued = _issued()
    SQL["rotate_key"](
        conn, account_id=account_id, id=key_id, prefix=issued.prefix, digest=rules.digest(issued.key)
    )
    return issued


def change_key(
    conn: Conn, account_id: AccountId, key_id: KeyId, *, label: str, per_minute: int | None
) -> None:
    """Give a key another label and limit; `None` is the panel's own limit.

    Raises `KeyNotFound` where the account has no such key; `AccountSuspended`, `InvalidLabel` or `InvalidLimit`.
    """
    rules.check_key(label, per_minute)
    _lock_active(conn, account_id)
    changed = SQL["change_key"](conn, account_id=account_id, id=key_id, label=label, per_minute=per_minute)
    if changed.fetchone() is None:
        raise KeyNotFound


def revoke_key(conn: Conn, account_id: AccountId, key_id: KeyId) -> None:
    """End a key: the very next request with it is refused. Raises `KeyNotFound` where the account has no such key.

    A suspended account may, too. The doors end its webhooks with it.
    """
    if SQL["revoke_key"](conn, account_id=account_id, id=key_id).fetchone() is None:
        raise KeyNotFound


def note_use(conn: Conn, used_at: Mapping[KeyId, datetime]) -> None:
    """Write down when keys were used last; what another process wrote that is later stays."""
    if used_at:
        SQL["note_use"](conn, ids=list(used_at), ats=list(used_at.values()))


def _lock_active(conn: Conn, account_id: AccountId) -> None:
    """Make concurrent changes of one account's keys wait for each other. Raises `AccountSuspended`."""
    [state] = SQL["lock_account"](conn, account_id=account_id).fetchall()[0]
    if state != AccountState.ACTIVE:
        raise AccountSuspended


def _issued() -> IssuedKey:
    key = rules.key_from(secrets.randbits(256))
    return IssuedKey(key=key, prefix=rules.shown_prefix(key))
