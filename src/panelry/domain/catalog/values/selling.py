"""What is sold and how it is bought. Rates are micros of the wallet's currency per `rate_per` units."""

from dataclasses import dataclass
from typing import Final, NewType

from panelry.domain.money import Micros
from panelry.domain.providers import ProviderId

ServiceId = NewType("ServiceId", int)
RouteId = NewType("RouteId", int)

PER_THOUSAND: Final = 1000
PER_PACKAGE: Final = 1
SELLABLE_TYPES: Final = frozenset(
    {
        "Default", "Package", "Custom Comments", "Custom Comments Package", "Mentions", "Mentions with Hashtags",
        "Mentions Custom List", "Mentions Hashtag", "Mentions User Followers", "Mentions Media Likers", "Comment Likes",
        "Comment Replies", "Poll", "Invites from Groups", "SEO", "Web Traffic", "Subscriptions",
    }
)  # fmt: skip
"""Types that orders can be placed for; services of other types are imported off sale."""
DRIP_FEED_TYPES: Final = frozenset({"Default", "Web Traffic"})
"""Types that can be ordered in runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One way to buy a service: the provider and its own id for the service; `is_open` while the provider is neither paused nor broken."""

    id: RouteId
    provider_id: ProviderId
    provider_service: str
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service on sale with its routes, best first, as the rules of placing need it."""

    id: ServiceId
    type: str
    category: int
    rate_micros: Micros
    rate_per: int
    minimum: int
    maximum: int
    dripfeed: bool
    cancel: bool
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A service as the price list shows it."""

    id: ServiceId
    name: str
    type: str
    category: str
    rate_micros: Micros
    rate_per: int
    minimum: int
    maximum: int
    dripfeed: bool
    refill: bool
    cancel: bool
    description: str
    average_time: str
