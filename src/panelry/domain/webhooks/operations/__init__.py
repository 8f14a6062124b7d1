"""All that changes endpoints and deliveries."""

from panelry.domain.webhooks.operations.delivering import RESPONSE_LIMIT, claim, end_abandoned, forget, record
from panelry.domain.webhooks.operations.redelivering import redeliver, redeliver_range
from panelry.domain.webhooks.operations.registering import (
    add,
    disable,
    enable,
    end_deliveries,
    remove,
    revoke_key,
    rotate_secret,
    test,
)
from panelry.domain.webhooks.operations.telling import tell

__all__ = [
    "RESPONSE_LIMIT",
    "add",
    "claim",
    "disable",
    "enable",
    "end_abandoned",
    "end_deliveries",
    "forget",
    "record",
    "redeliver",
    "redeliver_range",
    "remove",
    "revoke_key",
    "rotate_secret",
    "tell",
    "test",
]
