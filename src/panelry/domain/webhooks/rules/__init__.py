"""What decides about endpoints, bodies, signatures and attempts."""

from panelry.domain.webhooks.rules.bodies import body, status_fields
from panelry.domain.webhooks.rules.endpoints import EVENTS, TEST

__all__ = ["EVENTS", "TEST", "body", "status_fields"]
