"""What endpoints may be told of (api-v2.md, 4 webhook.add and 7)."""

from typing import Final

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
