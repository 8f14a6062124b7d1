"""All that changes endpoints (api-v2.md, 4 webhook.add and following)."""

import secrets
from collections.abc import Collection, Iterable
from pathlib import Path
from uuid import UUID

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import accounts, ids
from panelry.domain.accounts import AccountId, AccountState, AccountSuspended, InvalidApiKey, KeyId
from panelry.domain.events import Event
from panelry.domain.vault import Vault
from panelry.domain.webhooks import rules
from panelry.domain.webhooks.operations.telling import tell
from panelry.domain.webhooks.values import (
    Reason,
    Registered,
    TooManyWebhooks,
    WebhookDisabled,
    WebhookId,
    WebhookNotFound,
    WebhookState,
)

SQL = Statements(Path(__file__).parents[1] / "statements")


def add(
    conn: Conn,
    vault: Vault,
    account_id: AccountId,
    *,
    url: str,
    events: Iterable[str] = (),
    key_id: KeyId | None = None,
    webhook_id: WebhookId | None = None,
) -> Registered:
    """Register an endpoint for these events, by default all; it is told what happens from the commit on.

    It is counted for the key that makes it, or (`None`) for the account's pages. Done again under one id it is still
    that one endpoint, with another secret. The URL is to be checked before (`connectors.endpoints`). Raises
    `UnknownEvent`, `AccountSuspended`, `InvalidApiKey`, or `TooManyWebhooks` when there are five, also when several ask
    for the fifth at once.
    """
    wanted = rules.wanted(events)
    id_ = webhook_id or WebhookId(ids.new())
    _lock_owner(conn, account_id)
    if key_id is not None and SQL["lock_key"](conn, account_id=account_id, key_id=key_id).fetchone() is None:
        raise InvalidApiKey
    _check_room(conn, account_id, key_id, id_)
    secret = rules.secret_from(secrets.token_bytes(32))
    SQL["insert_webhook"](
        conn,
        id=id_,
        account_id=account_id,
        key_id=key_id,
        url=url,
        events=wanted,
        sealed_secret=vault.seal(secret, purpose=f"webhook {id_}"),
    )
    return Registered(id=id_, url=url, events=tuple(wanted), secret=secret)


def rotate_secret(conn: Conn, vault: Vault, account_id: AccountId, webhook_id: WebhookId) -> str:
    """Give an endpoint another secret and return it; for 24 hours every delivery is signed with the former one, too.

    Raises `WebhookNotFound`.
    """
    _lock(conn, account_id, webhook_id)
    secret = rules.secret_from(secrets.token_bytes(32))
    SQL["rotate_webhook_secret"](
        conn,
        id=webhook_id,
        sealed_secret=vault.seal(secret, purpose=f"webhook {webhook_id}"),
        lives=rules.FORMER_SECRET_LIVES,
    )
    return secret


def test(conn: Conn, account_id: AccountId, webhook_id: WebhookId, *, actor: str) -> UUID:
    """Send `webhook.test` to one endpoint, whatever it asked for, and return the event's id.

    Raises `WebhookNotFound` or `WebhookDisabled`.
    """
    state, _ = _lock(conn, account_id, webhook_id)
    if state is not WebhookState.ACTIVE:
        raise WebhookDisabled
    [number, at] = SQL["count_test"](conn, id=webhook_id).fetchall()[0]
    event = Event(
        id=ids.new(),
        account_id=account_id,
        subject=webhook_id,
        sequence=number,
        type=rules.TEST,
        data={},
        actor=actor,
        at=at,
    )
    tell(conn, [event])
    return event.id


def enable(conn: Conn, account_id: AccountId, webhook_id: WebhookId) -> None:
    """Tell a disabled endpoint what happens from now on; what was given up stays so.

    One whose key was revoked counts for the account's pages. Raises `WebhookNotFound` or `TooManyWebhooks`.
    """
    _lock_owner(conn, account_id)
    state, is_orphan = _lock(conn, account_id, webhook_id)
    if is_orphan:
        _check_room(conn, account_id, None, webhook_id)
    if state is WebhookState.DISABLED:
        SQL["enable_webhook"](conn, id=webhook_id, is_orphan=is_orphan)


def disable(conn: Conn, webhook_ids: Collection[WebhookId], *, reason: Reason) -> list[WebhookId]:
    """Tell these endpoints nothing more, give up what waits for them, and return which of them were active."""
    if not webhook_ids:
        return []
    _lock_out(conn, webhook_ids)
    rows = SQL["disable_webhooks"](conn, webhook_ids=list(webhook_ids), reason=reason)
    disabled = [WebhookId(id_) for [id_] in rows]
    end_deliveries(conn, disabled)
    return disabled


def remove(conn: Conn, account_id: AccountId, webhook_id: WebhookId) -> None:
    """Forget an endpoint and give up what waits for it. Again it is the same; raises `WebhookNotFound`."""
    _lock_out(conn, [webhook_id])
    if SQL["remove_webhook"](conn, id=webhook_id, account_id=account_id).fetchone() is None:
        raise WebhookNotFound
    end_deliveries(conn, [webhook_id])


def revoke_key(conn: Conn, account_id: AccountId, key_id: KeyId) -> None:
    """End a key, and disable the endpoints that were made with it. Raises `KeyNotFound`.

    Doors call this instead of `accounts.revoke_key`. A rotation keeps the key and with it its endpoints.
    """
    accounts.revoke_key(conn, account_id, key_id)
    made = SQL["of_key"](conn, account_id=account_id, key_id=key_id)
    disable(conn, [WebhookId(id_) for [id_] in made], reason=Reason.KEY_REVOKED)


def end_deliveries(conn: Conn, webhook_ids: Collection[WebhookId]) -> None:
    """Give up what waits for endpoints that are not active any more; what is in flight is left to its sender."""
    if webhook_ids:
        SQL["end_deliveries"](conn, webhook_ids=list(webhook_ids))


def _lock_owner(conn: Conn, account_id: AccountId) -> None:
    [state] = SQL["lock_owner"](conn, account_id=account_id).fetchall()[0]
    if state != AccountState.ACTIVE:
        raise AccountSuspended


def _lock(conn: Conn, account_id: AccountId, webhook_id: WebhookId) -> tuple[WebhookState, bool]:
    """Lock an endpoint; return its state, and whether its key was revoked. Raises `WebhookNotFound`."""
    row = SQL["lock_webhook"](conn, account_id=account_id, id=webhook_id).fetchone()
    if row is None:
        raise WebhookNotFound
    return WebhookState(row[0]), row[1] is not None


def _lock_out(conn: Conn, webhook_ids: Collection[WebhookId]) -> None:
    """Wait for all who are just writing deliveries to these endpoints, so that none is left behind."""
    SQL["lock_for_disabling"](conn, webhook_ids=list(webhook_ids)).fetchall()


def _check_room(conn: Conn, account_id: AccountId, key_id: KeyId | None, but: WebhookId) -> None:
    [others] = SQL["count_others"](conn, account_id=account_id, key_id=key_id, id=but).fetchall()[0]
    if others >= rules.MOST_PER_KEY:
        raise TooManyWebhooks(most=rules.MOST_PER_KEY)
