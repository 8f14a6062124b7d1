"""The 17 types, one row each: their parameters and where the quantity comes from (api-v2.md §5)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from panelry.connectors.sandbox.refusals import Problem, Refused

Fields = Mapping[str, str]
LISTS: Final = frozenset({"comments", "usernames", "hashtags", "groups", "keywords"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceType:
    """One type: what it needs, what it may have, and the parameter that gives its units ("" where they are fixed)."""

    required: tuple[str, ...]
    units: str = "quantity"
    optional: tuple[str, ...] = ()
    check: Callable[[Fields], None] | None = None


def _check_traffic(fields: Fields) -> None:
    needed = {"1": "google_keyword", "2": "referring_url"}.get(fields["type_of_traffic"].lstrip("0"))
    if needed and needed not in fields:
        raise Refused(Problem.MISSING, name=needed)


def _check_subscription(fields: Fields) -> None:
    if int(fields["min"]) > int(fields["max"]):
        raise Refused(Problem.RANGE, name="min", low=1, high=int(fields["max"]))


def _type(*required: str, units: str = "quantity", optional: tuple[str, ...] = ()) -> ServiceType:
    return ServiceType(required=required, units=units, optional=optional)


_DRIP: Final = ("runs", "interval")
TYPES: Final = MappingProxyType(
    {
        "Default": _type("link", "quantity", optional=_DRIP),
        "Package": _type("link", units=""),
        "Custom Comments": _type("link", "comments", units="comments"),
        "Custom Comments Package": _type("link", "comments", units=""),
        "Mentions": _type("link", "quantity", "usernames"),
        "Mentions with Hashtags": _type("link", "quantity", "usernames", "hashtags"),
        "Mentions Custom List": _type("link", "usernames", units="usernames"),
        "Mentions Hashtag": _type("link", "quantity", "hashtag"),
        "Mentions User Followers": _type("link", "quantity", "username"),
        "Mentions Media Likers": _type("link", "quantity", "media"),
        "Comment Likes": _type("link", "quantity", "username"),
        "Comment Replies": _type("link", "username", "comments", units="comments"),
        "Poll": _type("link", "quantity", "answer_number"),
        "Invites from Groups": _type("link", "quantity", "groups"),
        "SEO": _type("link", "quantity", "keywords"),
        "Web Traffic": ServiceType(
            required=("link", "quantity", "country", "device", "type_of_traffic"),
            optional=(*_DRIP, "google_keyword", "referring_url"),
            check=_check_traffic,
        ),
        "Subscriptions": ServiceType(
            required=("username", "min", "max", "delay"),
            units="",
            optional=("posts", "old_posts", "expiry"),
            check=_check_subscription,
        ),
    }
)
"""The 17 types by name, in the order of api-v2.md §5."""

NAMES: Final = frozenset(name for type_ in TYPES.values() for name in (*type_.required, *type_.optional)) | {
    "service"
}
"""Every parameter of an order; what two calls with one request id are compared by."""
