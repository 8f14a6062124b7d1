"""What decides about endpoints, bodies, signatures and attempts."""

from panelry.domain.webhooks.rules.bodies import body, status_fields
from panelry.domain.webhooks.rules.endpoints import EVENTS, TEST
from panelry.domain.webhooks.rules.schedule import after_attempt, after_result, disabled_for
from panelry.domain.webhooks.rules.signing import signed_headers

__all__ = [
    "EVENTS",
    "TEST",
    "after_attempt",
    "after_result",
    "body",
    "disabled_for",
    "signed_headers",
    "status_fields",
]
