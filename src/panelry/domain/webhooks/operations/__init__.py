"""All that changes endpoints and deliveries."""

from panelry.domain.webhooks.operations.registering import end_deliveries

__all__ = ["end_deliveries"]
