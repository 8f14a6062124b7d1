"""Service updates: every public change of the catalogue, and what staff announce."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Final

from django.db import connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from panelry.database.pool import lent
from panelry.domain import catalog
from panelry.domain.catalog import ChangeKind, Update
from panelry.web.content import queries
from panelry.web.content.models.posts import Kind
from panelry.web.site import price_list, prices
from panelry.web.site.caching import public
from panelry.web.words import counted, priced

PER_PAGE: Final = 100
MOST_NOTICES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One change as its reader sees it; `before` and `after` are empty where there was or is nothing."""

    service_id: int
    is_on_sale: bool
    name: str
    category: str
    what: str
    before: str
    after: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The changes of one day, newest first."""

    day: date
    lines: list[Line]


@public
def updates(request: HttpRequest) -> HttpResponse:
    """List changes, newest first."""
    asked = request.GET.get("before", "")
    if asked and not (asked.isascii() and asked.isdigit() and len(asked) <= 18):
        raise Http404
    with transaction.atomic(), lent(connection) as conn:
        found = catalog.updates(conn, most=PER_PAGE + 1, before=int(asked) if asked else None)
    on_sale, discount = price_list.current().by_id, prices.discount_for(request)
    lines = [_line(one, discount, is_on_sale=one.service_id in on_sale) for one in found[:PER_PAGE]]
    shown = {
        "days": [Day(day=day, lines=list(of)) for day, of in groupby(lines, key=lambda one: one.at.date())],
        "notices": [] if asked else queries.posts(Kind.NOTICE, most=MOST_NOTICES),
        "older": f"?before={found[PER_PAGE - 1].id}" if len(found) > PER_PAGE else None,
        "newest": "?" if asked else None,
    }
    return render(request, "site/updates.html", shown)


def _line(update: Update, discount: Decimal, *, is_on_sale: bool) -> Line:
    write = _count if update.kind in {ChangeKind.MINIMUM, ChangeKind.MAXIMUM} else _rate
    return Line(
        service_id=update.service_id,
        is_on_sale=is_on_sale,
        name=update.name,
        category=update.category,
        what=_what(update),
        before=write(update.before, discount) if update.before else "",
        after=write(update.after, discount) if update.after else "",
        at=update.at,
    )


def _what(update: Update) -> str:
    match update.kind:
        case ChangeKind.NEW:
            return _("New")
        case ChangeKind.ON_SALE:
            return _("Back on sale")
        case ChangeKind.OFF_SALE:
            return _("Off sale")
        case ChangeKind.MINIMUM:
            return _("Smallest order")
        case ChangeKind.MAXIMUM:
            return _("Largest order")
        case _:
            return _price(update)


def _price(update: Update) -> str:
    (before, was_package), (after, is_package) = (
        prices.rate_of(text, Decimal(0)) for text in (update.before, update.after)
    )
    if was_package != is_package:
        return _("Price changed")
    return _("Price lowered") if after < before else _("Price raised")


def _rate(text: str, discount: Decimal) -> str:
    micros, is_package = prices.rate_of(text, discount)
    price = priced(micros)
    return (
        _("%(price)s per package") % {"price": price}
        if is_package
        else _("%(price)s per 1,000") % {"price": price}
    )


def _count(text: str, _discount: Decimal) -> str:
    return counted(int(text))
