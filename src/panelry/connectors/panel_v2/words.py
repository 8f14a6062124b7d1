"""What a provider's words mean: the states of orders and refills, and the types of services."""

from collections.abc import Mapping
from typing import Final

from panelry.domain.providers import RefillState, UpstreamState

STATES: Final[Mapping[str, UpstreamState]] = {
    "pending": UpstreamState.PENDING,
    "awaiting": UpstreamState.PENDING,
    "creating": UpstreamState.PENDING,
    "empty": UpstreamState.PENDING,
    "": UpstreamState.PENDING,
    "processing": UpstreamState.PROCESSING,
    "process": UpstreamState.PROCESSING,
    "in progress": UpstreamState.IN_PROGRESS,
    "inprogress": UpstreamState.IN_PROGRESS,
    "active": UpstreamState.IN_PROGRESS,
    "completed": UpstreamState.COMPLETED,
    "complete": UpstreamState.COMPLETED,
    "partial": UpstreamState.PARTIAL,
    "partially completed": UpstreamState.PARTIAL,
    "canceled": UpstreamState.CANCELLED,
    "cancelled": UpstreamState.CANCELLED,
    "cancel": UpstreamState.CANCELLED,
    "refunded": UpstreamState.REFUNDED,
    "refund": UpstreamState.REFUNDED,
    "refunds": UpstreamState.REFUNDED,
    "fail": UpstreamState.REFUNDED,
    "failed": UpstreamState.REFUNDED,
    "error": UpstreamState.REFUNDED,
    # said of subscriptions
    "paused": UpstreamState.PAUSED,
    "pause": UpstreamState.PAUSED,
    "on pause": UpstreamState.PAUSED,
    "on hold": UpstreamState.PAUSED,
    "hold": UpstreamState.PAUSED,
    "expired": UpstreamState.EXPIRED,
    "expire": UpstreamState.EXPIRED,
}

REFILL_STATES: Final[Mapping[str, RefillState]] = {
    "pending": RefillState.PENDING,
    "awaiting": RefillState.PENDING,
    "processing": RefillState.IN_PROGRESS,
    "process": RefillState.IN_PROGRESS,
    "in progress": RefillState.IN_PROGRESS,
    "inprogress": RefillState.IN_PROGRESS,
    "completed": RefillState.COMPLETED,
    "complete": RefillState.COMPLETED,
    "processed": RefillState.COMPLETED,
    "success": RefillState.COMPLETED,
    "rejected": RefillState.REJECTED,
    "reject": RefillState.REJECTED,
    "failed": RefillState.REJECTED,
    "fail": RefillState.REJECTED,
    "error": RefillState.REJECTED,
    "canceled": RefillState.REJECTED,
    "cancelled": RefillState.REJECTED,
    "cancel": RefillState.REJECTED,
}

TYPES: Final[Mapping[str, str]] = {
    title.lower(): title
    for title in (
        "Default",
        "Package",
        "Custom Comments",
        "Custom Comments Package",
        "Mentions",
        "Mentions with Hashtags",
        "Mentions Custom List",
        "Mentions Hashtag",
        "Mentions User Followers",
        "Mentions Media Likers",
        "Comment Likes",
        "Comment Replies",
        "Poll",
        "Invites from Groups",
        "SEO",
        "Web Traffic",
        "Subscriptions",
    )
}


def plain(word: str) -> str:
    """Write a word as the tables have it: lower case, `_` and `-` as spaces."""
    return " ".join(word.lower().replace("_", " ").replace("-", " ").split())


def state(word: str, own: Mapping[str, UpstreamState]) -> UpstreamState | None:
    """Return what a state's word means, by the provider's own table first; `None` where nobody mapped it."""
    wanted = word.lower()
    if wanted in STATES and not own:
        return STATES[wanted]
    wanted = plain(word)
    return next((means for theirs, means in own.items() if plain(theirs) == wanted), STATES.get(wanted))


def refill_state(word: str) -> RefillState | None:
    """Return what a refill's state means; `None` where nobody mapped the word."""
    return REFILL_STATES.get(plain(word))


def service_type(word: str) -> str:
    """Return a service's type in our spelling where it is one of ours, else as it was sent."""
    return TYPES.get(plain(word) or "default", word)
