"""All that changes endpoints and deliveries."""

from panelry.domain.webhooks.operations.delivering import claim, end_abandoned, forget, record
from panelry.domain.webhooks.operations.redelivering import redeliver, redeliver_range
from panelry.domain.webhooks.operations.registering import end_deliveries
from panelry.domain.webhooks.operations.telling import tell

__all__ = [
    "claim",
    "end_abandoned",
    "end_deliveries",
    "forget",
    "record",
    "redeliver",
    "redeliver_range",
    "tell",
]
