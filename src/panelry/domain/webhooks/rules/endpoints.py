"""What endpoints may be told of (api-v2.md, 4 webhook.add and 7)."""

import base64
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from panelry.domain.webhooks.rules.signing import PREFIX
from panelry.domain.webhooks.values import UnknownEvent

TEST: Final = "webhook.test"
EVENTS: Final = (
    "order.created",
    "order.processing",
    "order.in_progress",
    "order.completed",
    "order.partial",
    "order.cancelled",
    "order.failed",
    "order.refunded",
    "refill.created",
    "refill.completed",
    "refill.rejected",
    "balance.low",
    TEST,
)
"""All that an endpoint can ask for; what else stands in a timeline is not told to anybody outside."""

MOST_PER_KEY: Final = 5
"""Endpoints that are not removed, for each key and for the pages of an account."""
LONGEST_URL: Final = 500
FORMER_SECRET_LIVES: Final = timedelta(hours=24)


def wanted(events: Iterable[str]) -> list[str]:
    """Return the events that somebody asks for, each once and in our order; all where none is named.

    Raises `UnknownEvent`.
    """
    asked = set(events)
    unknown = sorted(asked - set(EVENTS))
    if unknown:
        raise UnknownEvent(event=unknown[0][:100])
    return [event for event in EVENTS if event in asked or not asked]


def secret_from(random: bytes) -> str:
    """Write 32 random bytes as a secret: `whsec_` and base64, as Standard Webhooks has it."""
    assert len(random) == 32
    return PREFIX + base64.b64encode(random).decode()
