"""Endpoints, what they are told, and deliveries."""

from panelry.domain.webhooks.values.telling import Told, WebhookId

__all__ = ["Told", "WebhookId"]
