"""Looking at endpoints and what waits for them in tests."""

from typing import Any

import msgspec

from panelry.database.pool import Conn
from panelry.domain import webhooks
from panelry.domain.webhooks import Told, WebhookId


def waiting(conn: Conn, webhook: WebhookId) -> list[str]:
    """Return the types of the events that wait for an endpoint, each subject's in their order."""
    query = """SELECT e.type FROM deliveries d JOIN events e USING (account_id, subject, sequence)
               WHERE d.webhook_id = %s AND d.state = 'waiting' AND d.event_id = e.id AND d.due_at <= clock_now()
               ORDER BY e.at, e.subject, e.sequence"""
    return [type_ for [type_] in conn.execute(query, [webhook]).fetchall()]


def bodies(conn: Conn, webhook: WebhookId) -> list[dict[str, Any]]:
    """Return what will be sent to an endpoint, each subject's in their order."""
    query = """SELECT e.id, e.type, e.subject, e.sequence, e.data, e.at, o.request_id
               FROM deliveries d JOIN events e USING (account_id, subject, sequence)
               LEFT JOIN orders o ON o.account_id = e.account_id AND o.id = e.subject
               WHERE d.webhook_id = %s ORDER BY e.at, e.subject, e.sequence"""
    names = ("event_id", "type", "subject", "sequence", "data", "at", "request_id")
    told = [Told(**dict(zip(names, row, strict=True))) for row in conn.execute(query, [webhook]).fetchall()]
    return [msgspec.json.decode(webhooks.body(event, currency="USD")) for event in told]
