"""The pricing page: how a charge comes about, what tiers take off, and what each category begins at."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from panelry.database.pool import lent
from panelry.domain import accounts
from panelry.domain.catalog import PER_THOUSAND, Listing, discounted
from panelry.domain.money import LARGEST, Micros
from panelry.web.site import landing, price_list, prices
from panelry.web.site.caching import public

MOST_TIERS: Final = 20
MOST_CATEGORIES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A tier as the page shows it: what reaches it, what it gives, and what the example costs in it."""

    name: str
    threshold_micros: Micros
    discount_percent: Decimal
    per_minute: int
    example_micros: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A category with the lowest prices in it; `None` where nothing in it is priced that way."""

    name: str
    count: int
    per_thousand: Micros | None
    per_package: Micros | None


@public
def pricing(request: HttpRequest) -> HttpResponse:
    """Show how prices come about."""
    with transaction.atomic(), lent(connection) as conn:
        tiers = accounts.tiers(conn)
    discount = prices.discount_for(request)
    listed = price_list.current()
    shown = {
        "levels": [_level(tier) for tier in tiers if tier.threshold_micros < LARGEST][:MOST_TIERS],
        "headings": _headings((entry.listing for entry in listed.entries), discount)[:MOST_CATEGORIES],
        "story": landing.story(),
        "is_own": prices.is_priced_for(request),
        "currency": settings.PANELRY_CURRENCY,
        "ip_per_minute": settings.PANELRY_IP_PER_MINUTE,
    }
    return render(request, "site/pricing.html", shown)


def _level(tier: accounts.Tier) -> Level:
    return Level(
        name=tier.name,
        threshold_micros=tier.threshold_micros,
        discount_percent=tier.discount_percent.normalize(),
        per_minute=tier.per_minute,
        example_micros=discounted(landing.RATE, tier.discount_percent),
    )


def _headings(listings: Iterable[Listing], discount: Decimal) -> list[Heading]:
    return [
        _heading(name, list(group), discount)
        for name, group in groupby(listings, key=lambda one: one.category)
    ]


def _heading(name: str, group: list[Listing], discount: Decimal) -> Heading:
    per_thousand = [one.rate_micros for one in group if one.rate_per == PER_THOUSAND]
    others = [one.rate_micros for one in group if one.rate_per != PER_THOUSAND]
    return Heading(
        name=name,
        count=len(group),
        per_thousand=discounted(min(per_thousand), discount) if per_thousand else None,
        per_package=discounted(min(others), discount) if others else None,
    )
