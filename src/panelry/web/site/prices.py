"""What a reader pays: by the catalogue's own rule, with the discount of their tier or of the lowest one."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from panelry.domain import money, orders
from panelry.domain.catalog import PER_PACKAGE, Listing, discounted
from panelry.domain.money import Micros
from panelry.schema.models import Tier, User
from panelry.web.site.price_list import Entry
from panelry.web.words import counted, usual_time

LONGEST_FIRST: Final = 110
TYPES: Final[dict[str, str | Promise]] = {
    "Default": gettext_lazy("By quantity"),
    "Package": gettext_lazy("Package"),
    "Custom Comments": gettext_lazy("Comments of your own"),
    "Custom Comments Package": gettext_lazy("Package of your own comments"),
    "Mentions": gettext_lazy("Mentions"),
    "Mentions with Hashtags": gettext_lazy("Mentions with hashtags"),
    "Mentions Custom List": gettext_lazy("Mentions, from your list"),
    "Mentions Hashtag": gettext_lazy("Mentions, by hashtag"),
    "Mentions User Followers": gettext_lazy("Mentions, by account"),
    "Mentions Media Likers": gettext_lazy("Mentions, by post"),
    "Comment Likes": gettext_lazy("Likes of a comment"),
    "Comment Replies": gettext_lazy("Replies to a comment"),
    "Poll": gettext_lazy("Poll"),
    "Invites from Groups": gettext_lazy("Invitations from groups"),
    "SEO": gettext_lazy("Search engines"),
    "Web Traffic": gettext_lazy("Visits to a website"),
    "Subscriptions": gettext_lazy("Subscription to new posts"),
}
"""What a service's type is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A service as a list shows it, at its reader's price."""

    id: int
    name: str
    category: str
    delivered: str
    quantity: str
    is_range: bool
    time: str
    rate_micros: Micros
    per: str
    refill: bool
    dripfeed: bool
    cancel: bool


def discount_for(request: HttpRequest) -> Decimal:
    """Return what comes off every rate for whoever reads, in per cent."""
    if isinstance(request.user, User) and request.user.account_id is not None:
        return Tier.objects.get(account=request.user.account_id).discount_percent
    lowest = Tier.objects.order_by("position").only("discount_percent").first()
    return lowest.discount_percent if lowest else Decimal(0)


def is_priced_for(request: HttpRequest) -> bool:
    """Tell whether the prices are those of a reader's own tier."""
    return isinstance(request.user, User) and request.user.account_id is not None


def rows(entries: Sequence[Entry], discount_percent: Decimal) -> list[Row]:
    """Return services as a list shows them."""
    return [row(entry.listing, discount_percent) for entry in entries]


def row(listing: Listing, discount_percent: Decimal) -> Row:
    """Return one service as a list shows it."""
    return Row(
        id=listing.id,
        name=listing.name,
        category=listing.category,
        delivered=first_sentence(listing.description),
        quantity=limits(listing),
        is_range=has_quantity(listing.type),
        time=usual_time(listing.average_time),
        rate_micros=discounted(listing.rate_micros, discount_percent),
        per=per(listing),
        refill=listing.refill,
        dripfeed=listing.dripfeed,
        cancel=listing.cancel,
    )


def limits(listing: Listing) -> str:
    """Write which quantities can be ordered."""
    if has_quantity(listing.type):
        return f"{counted(listing.minimum)} – {counted(listing.maximum)}"  # noqa: RUF001 (a range)
    if listing.rate_per == PER_PACKAGE and listing.minimum == 1:
        return _("one package")
    return _("a package of %(units)s") % {"units": counted(listing.minimum)}


def per(listing: Listing) -> str:
    """Write what the rate is for."""
    if listing.rate_per != PER_PACKAGE:
        return _("per 1,000")
    return _("each") if has_quantity(listing.type) else _("per package")


def has_quantity(type_: str) -> bool:
    """Tell whether orders of a type say how much they want, or lines that are counted."""
    return type_ not in orders.TYPES or orders.TYPES[type_].quantity != "fixed"


def examples(listing: Listing, rate: Micros) -> list[tuple[int, Micros]]:
    """Return what some quantities cost at a rate: the smallest, and round ones above it."""
    if not has_quantity(listing.type):
        return [(listing.minimum, charge(listing, rate, listing.minimum))]
    round_ones = [10**power for power in range(1, 10)]
    above = [number for number in round_ones if listing.minimum < number <= listing.maximum]
    return [(units, charge(listing, rate, units)) for units in [listing.minimum, *above][:4]]


def charge(listing: Listing, rate: Micros, units: int) -> Micros:
    """Return what an order of so many units costs."""
    return orders.charge_for(rate=rate, rate_per=listing.rate_per, units=units)


def rate_of(text: str, discount_percent: Decimal) -> tuple[Micros, bool]:
    """Read a rate as service updates write it; return what the reader pays, and whether that is for a package."""
    bare = text.removesuffix(" per package")
    return discounted(money.parse(bare), discount_percent), bare != text


def first_sentence(description: str) -> str:
    """Return how a description begins: who delivers, and how, if the operator wrote it so."""
    first = plain(description).strip().split("\n", 1)[0].split(". ", 1)[0].rstrip(".").strip()
    return first if len(first) <= LONGEST_FIRST else first[: LONGEST_FIRST - 1].rstrip() + "…"


def plain(text: str) -> str:
    """Return a text of a provider's list without tags that stand in it."""
    return strip_tags(text) if "<" in text else text
