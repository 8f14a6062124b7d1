"""Delivering again by hand what ended, or waits for a later attempt."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import ids
from panelry.domain.accounts import AccountId
from panelry.domain.webhooks.values import NoSuchWebhook, WebhookDisabled, WebhookId, WebhookState

SQL = Statements(Path(__file__).parents[1] / "statements")


def redeliver(conn: Conn, webhook_id: WebhookId, event_ids: Sequence[UUID]) -> int:
    """Make deliveries of these events due at once, under the ids that they had; return how many.

    One that has ended begins its schedule anew. Left alone is what is being sent just now, and what the endpoint was
    never to be told. Raises `NoSuchWebhook` or `WebhookDisabled`.
    """
    account_id = _lock(conn, webhook_id)
    return SQL["redeliver"](
        conn, account_id=account_id, webhook_id=webhook_id, event_ids=list(event_ids)
    ).rowcount


def redeliver_range(
    conn: Conn, webhook_id: WebhookId, *, since: datetime, until: datetime, only_failed: bool
) -> int:
    """Do what `redeliver` does with all deliveries that were written from `since` on and before `until`.

    `only_failed` leaves those alone that the endpoint took.
    """
    account_id = _lock(conn, webhook_id)
    return SQL["redeliver_range"](
        conn,
        account_id=account_id,
        webhook_id=webhook_id,
        since=since,
        until=until,
        only_failed=only_failed,
    ).rowcount


def _lock(conn: Conn, webhook_id: WebhookId) -> AccountId:
    row = SQL["lock_endpoint"](conn, webhook_id=webhook_id).fetchone()
    if row is None:
        raise NoSuchWebhook(webhook=ids.show(ids.WEBHOOK, webhook_id))
    if row[1] != WebhookState.ACTIVE:
        raise WebhookDisabled
    return AccountId(row[0])
