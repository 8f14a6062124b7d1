"""Webhooks: customers' endpoints, and what is delivered to them."""

from panelry.domain.webhooks.operations import (
    claim,
    end_abandoned,
    end_deliveries,
    forget,
    record,
    redeliver,
    redeliver_range,
    tell,
)
from panelry.domain.webhooks.rules import EVENTS, body, signed_headers, status_fields
from panelry.domain.webhooks.values import Claimed, DeliveryState, EndpointNotActive, Result, Told, WebhookId

__all__ = [
    "EVENTS",
    "Claimed",
    "DeliveryState",
    "EndpointNotActive",
    "Result",
    "Told",
    "WebhookId",
    "body",
    "claim",
    "end_abandoned",
    "end_deliveries",
    "forget",
    "record",
    "redeliver",
    "redeliver_range",
    "signed_headers",
    "status_fields",
    "tell",
]
