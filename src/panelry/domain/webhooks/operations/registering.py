"""All that changes endpoints."""

from collections.abc import Collection
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain.webhooks.values import WebhookId

SQL = Statements(Path(__file__).parents[1] / "statements")


def end_deliveries(conn: Conn, webhook_ids: Collection[WebhookId]) -> None:
    """Give up what waits for endpoints that are not active any more; what is in flight is left to its sender."""
    if webhook_ids:
        SQL["end_deliveries"](conn, webhook_ids=list(webhook_ids))
