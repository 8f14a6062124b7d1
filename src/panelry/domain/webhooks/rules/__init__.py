"""What decides about endpoints, bodies, signatures and attempts."""

from panelry.domain.webhooks.rules.bodies import body, instant, status_fields
from panelry.domain.webhooks.rules.endpoints import (
    EVENTS,
    FORMER_SECRET_LIVES,
    LONGEST_URL,
    MOST_PER_KEY,
    TEST,
    secret_from,
    wanted,
)
from panelry.domain.webhooks.rules.schedule import after_attempt, after_result, disabled_for
from panelry.domain.webhooks.rules.signing import signed_headers

__all__ = [
    "EVENTS",
    "FORMER_SECRET_LIVES",
    "LONGEST_URL",
    "MOST_PER_KEY",
    "TEST",
    "after_attempt",
    "after_result",
    "body",
    "disabled_for",
    "instant",
    "secret_from",
    "signed_headers",
    "status_fields",
    "wanted",
]
