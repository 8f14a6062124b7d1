"""Webhooks: customers' endpoints, and what is delivered to them."""

from panelry.domain.webhooks.operations import end_deliveries, tell
from panelry.domain.webhooks.rules import EVENTS, body, status_fields
from panelry.domain.webhooks.values import Told, WebhookId

__all__ = ["EVENTS", "Told", "WebhookId", "body", "end_deliveries", "status_fields", "tell"]
