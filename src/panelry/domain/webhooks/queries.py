"""What can be asked about endpoints."""

from collections.abc import Collection
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import ids
from panelry.domain.accounts import AccountId, KeyId
from panelry.domain.webhooks.values import (
    Delivery,
    DeliveryState,
    NoSuchWebhook,
    Webhook,
    WebhookId,
    WebhookState,
)

SQL = Statements(Path(__file__).with_name("statements"))


def of_account(conn: Conn, account_id: AccountId) -> list[Webhook]:
    """Return an account's endpoints, oldest first, without those that it removed."""
    return [_webhook(row) for row in SQL["of_account"](conn, account_id=account_id)]


def find(conn: Conn, webhook_id: WebhookId) -> Webhook:
    """Return an endpoint, whosever it is. Raises `NoSuchWebhook`."""
    row = SQL["webhook"](conn, id=webhook_id).fetchone()
    if row is None:
        raise NoSuchWebhook(webhook=ids.show(ids.WEBHOOK, webhook_id))
    return _webhook(row)


def deliveries(
    conn: Conn,
    webhook_id: WebhookId,
    *,
    states: Collection[DeliveryState] = tuple(DeliveryState),
    most: int = 50,
) -> list[Delivery]:
    """Return what was, or is to be, delivered to an endpoint in the last 30 days, the newest first."""
    rows = SQL["deliveries"](conn, id=webhook_id, states=list(states), most=most)
    return [
        Delivery(
            event_id=event_id,
            type=type_,
            state=DeliveryState(state),
            attempts=attempts,
            last_result=result,
            due_at=due_at,
            created_at=created_at,
            finished_at=finished_at,
        )
        for event_id, type_, state, attempts, result, due_at, created_at, finished_at in rows
    ]


def _webhook(row: Row) -> Webhook:
    id_, account_id, key_id, url, events, state, reason, created_at, attempt_at, success_at, result = row
    return Webhook(
        id=WebhookId(id_),
        account_id=AccountId(account_id),
        key_id=None if key_id is None else KeyId(key_id),
        url=url,
        events=tuple(events),
        state=WebhookState(state),
        reason=reason,
        created_at=created_at,
        last_attempt_at=attempt_at,
        last_success_at=success_at,
        last_result=result,
    )
