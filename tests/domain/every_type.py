"""A complete draft of every service type, with what must come of it where the service's limits are 3 to 1,000."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LINK: Final = "https://example.com/post"
MINIMUM: Final = 3
MAXIMUM: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """What is said, how many units that is, what of it the order keeps beside link and quantity, what goes upstream."""

    said: Mapping[str, str]
    units: int
    extras: Mapping[str, str]
    upstream: Mapping[str, str]


def _counted(**more: str) -> Complete:
    said = {"link": LINK, "quantity": "0100", **more}
    return Complete(said=said, units=100, extras=more, upstream={"link": LINK, "quantity": "100", **more})


def _linked(units: int, **more: str) -> Complete:
    said = {"link": LINK, **more}
    return Complete(said=said, units=units, extras=more, upstream=said)


SUBSCRIPTION: Final = {
    "username": "anna", "min": "10", "max": "1000", "posts": "30", "old_posts": "0", "delay": "0", "expiry": "31/12/2099",
}  # fmt: skip
EVERY: Final[Mapping[str, Complete]] = {
    "Default": _counted(),
    "Package": _linked(MINIMUM),
    "Custom Comments": _linked(4, comments="nice\nso nice\nnice\nnot so nice"),
    "Custom Comments Package": _linked(MINIMUM, comments="nice\nso nice"),
    "Mentions": _counted(usernames="anna\nben"),
    "Mentions with Hashtags": _counted(usernames="anna\nben", hashtags="spring"),
    "Mentions Custom List": _linked(5, usernames="anna\nben\ncleo\ndan\neve"),
    "Mentions Hashtag": _counted(hashtag="spring"),
    "Mentions User Followers": _counted(username="anna"),
    "Mentions Media Likers": _counted(media="https://example.com/picture"),
    "Comment Likes": _counted(username="anna"),
    "Comment Replies": _linked(3, username="anna", comments="yes\nno\nperhaps"),
    "Poll": _counted(answer_number="7"),
    "Invites from Groups": _counted(groups="https://example.com/group"),
    "SEO": _counted(keywords="spring\nbuy spring"),
    "Web Traffic": _counted(
        country="DE",
        device="5",
        type_of_traffic="2",
        google_keyword="spring",
        referring_url="https://example.com/",
    ),
    "Subscriptions": Complete(said=SUBSCRIPTION, units=MINIMUM, extras=SUBSCRIPTION, upstream=SUBSCRIPTION),
}
