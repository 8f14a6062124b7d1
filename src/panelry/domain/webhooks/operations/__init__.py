"""All that changes endpoints and deliveries."""

from panelry.domain.webhooks.operations.registering import end_deliveries
from panelry.domain.webhooks.operations.telling import tell

__all__ = ["end_deliveries", "tell"]
