"""Endpoints, what they are told, and deliveries."""

from panelry.domain.webhooks.values.deliveries import (
    Claimed,
    Delivery,
    DeliveryState,
    Result,
    Standing,
    Verdict,
)
from panelry.domain.webhooks.values.endpoints import (
    InvalidWebhookUrl,
    NoSuchWebhook,
    Reason,
    Registered,
    TooManyWebhooks,
    UnknownEvent,
    Webhook,
    WebhookDisabled,
    WebhookNotFound,
    WebhookState,
    WebhookUrlNotHttps,
    WebhookUrlNotPublic,
)
from panelry.domain.webhooks.values.telling import Told, WebhookId

__all__ = [
    "Claimed",
    "Delivery",
    "DeliveryState",
    "InvalidWebhookUrl",
    "NoSuchWebhook",
    "Reason",
    "Registered",
    "Result",
    "Standing",
    "Told",
    "TooManyWebhooks",
    "UnknownEvent",
    "Verdict",
    "Webhook",
    "WebhookDisabled",
    "WebhookId",
    "WebhookNotFound",
    "WebhookState",
    "WebhookUrlNotHttps",
    "WebhookUrlNotPublic",
]
