"""Endpoints, what they are told, and deliveries."""

from panelry.domain.webhooks.values.deliveries import (
    Claimed,
    DeliveryState,
    EndpointNotActive,
    Result,
    Standing,
    Verdict,
)
from panelry.domain.webhooks.values.telling import Told, WebhookId

__all__ = [
    "Claimed",
    "DeliveryState",
    "EndpointNotActive",
    "Result",
    "Standing",
    "Told",
    "Verdict",
    "WebhookId",
]
