"""The service types as one table: what each needs, where its quantity comes from, what goes upstream (api-v2.md, 5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Quantity(StrEnum):
    """Where the quantity of an order comes from."""

    PARAMETER = "parameter"
    LINES = "lines"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceType:
    """One row: the parameters besides service, request_id and coupon, in the order in which they are checked.

    `needs` names what else is required once a parameter has a certain value. The lines of `lines_of` are the quantity
    where it comes from lines; a fixed quantity is the service's minimum, billed once.
    """

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    needs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    quantity: Quantity = Quantity.PARAMETER
    lines_of: str = ""


def _in_lines(*required: str, of: str) -> ServiceType:
    return ServiceType(required=required, quantity=Quantity.LINES, lines_of=of)


def _fixed(*required: str) -> ServiceType:
    return ServiceType(required=required, quantity=Quantity.FIXED)


def _counted(*required: str) -> ServiceType:
    return ServiceType(required=("link", "quantity", *required))


DRIP_FEED: Final = ("runs", "interval")
TYPES: Final[Mapping[str, ServiceType]] = {
    "Default": ServiceType(required=("link", "quantity"), optional=DRIP_FEED),
    "Package": _fixed("link"),
    "Custom Comments": _in_lines("link", "comments", of="comments"),
    "Custom Comments Package": _fixed("link", "comments"),
    "Mentions": _counted("usernames"),
    "Mentions with Hashtags": _counted("usernames", "hashtags"),
    "Mentions Custom List": _in_lines("link", "usernames", of="usernames"),
    "Mentions Hashtag": _counted("hashtag"),
    "Mentions User Followers": _counted("username"),
    "Mentions Media Likers": _counted("media"),
    "Comment Likes": _counted("username"),
    "Comment Replies": _in_lines("link", "username", "comments", of="comments"),
    "Poll": _counted("answer_number"),
    "Invites from Groups": _counted("groups"),
    "SEO": _counted("keywords"),
    "Web Traffic": ServiceType(
        required=("link", "quantity", "country", "device", "type_of_traffic"),
        optional=("google_keyword", "referring_url", *DRIP_FEED),
        needs={("type_of_traffic", "1"): "google_keyword", ("type_of_traffic", "2"): "referring_url"},
    ),
    "Subscriptions": ServiceType(
        required=("username", "min", "max", "delay"),
        optional=("posts", "old_posts", "expiry"),
        quantity=Quantity.FIXED,
    ),
}
"""A type that is not in the table is not sold."""

_COLUMN: Final = 2**31 - 1
NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "quantity": (1, 2**63 - 1),
    "runs": (1, 1000),
    "interval": (1, 525_600),
    "answer_number": (1, _COLUMN),
    "device": (1, 5),
    "type_of_traffic": (1, 3),
    "min": (1, 2**63 - 1),
    "max": (1, 2**63 - 1),
    "posts": (1, _COLUMN),
    "old_posts": (0, _COLUMN),
    "delay": (0, 525_600),
}
"""Numeric parameters: the smallest and the largest that is taken; a service's limits come on top."""
LISTS: Final = frozenset({"usernames", "hashtags", "comments", "groups", "keywords"})
"""Parameters whose lines are its items."""
TEXTS: Final[Mapping[str, int]] = {
    "link": 1000,
    "username": 255,
    "hashtag": 255,
    "media": 1000,
    "country": 255,
    "google_keyword": 255,
    "referring_url": 1000,
    "expiry": 10,
    "coupon": 64,
}
"""Parameters of one line, and how many characters they may have."""
PARAMETERS: Final = NUMBERS.keys() | LISTS | TEXTS.keys()
"""Every parameter that any type knows: what makes two orders the same; other fields of a request are ignored."""


def upstream_parameters(
    type_: str, link: str | None, quantity: int, extras: Mapping[str, str]
) -> dict[str, str]:
    """Return what a provider is told of an order: its quantity only where that is a parameter of the type.

    `extras` are those that the order was stored with: plain digits, and lists as lines of which none is blank.
    """
    said = {} if link is None else {"link": link}
    if TYPES[type_].quantity is Quantity.PARAMETER:
        said["quantity"] = str(quantity)
    return said | dict(extras)
