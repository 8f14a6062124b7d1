"""The services on sale: a list that can be searched and filtered, and one page for each."""

from dataclasses import replace
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from panelry.domain import orders
from panelry.domain.catalog import Listing, ServiceId
from panelry.schema.models import Service
from panelry.web.dashboard.offers import TYPES
from panelry.web.site import landing, price_list, prices, structured
from panelry.web.site.caching import public
from panelry.web.site.choosing import LONGEST_SEARCH, PRICED, Question, find
from panelry.web.site.price_list import PriceList

MOST_NEIGHBOURS: Final = 6


@public
def services(request: HttpRequest) -> HttpResponse:
    """List what is on sale; for htmx only the list itself."""
    question = Question.read(request.GET)
    listed = price_list.current()
    found = find(listed, question)
    discount = prices.discount_for(request)
    shown: dict[str, Any] = {
        "question": question,
        "found": found,
        "rows": prices.rows(found.entries, discount),
        "previous": replace(question, page=question.page - 1).address if question.page > 1 else None,
        "next": replace(question, page=question.page + 1).address if question.page < found.pages else None,
        "is_own": prices.is_priced_for(request),
    }
    is_part = request.headers.get("HX-Request") == "true"
    if not is_part:
        shown |= _around(listed, question)
    response = render(request, f"site/offers/{'results' if is_part else 'list'}.html", shown)
    patch_vary_headers(response, ("HX-Request",))
    return response


@public
def service(request: HttpRequest, number: int) -> HttpResponse:
    """Show one service: what it is, what an order needs, what some quantities cost."""
    listed = price_list.current()
    entry = listed.by_id.get(ServiceId(number))
    if entry is None:
        raise Http404
    listing, discount = entry.listing, prices.discount_for(request)
    row = prices.row(listing, discount)
    neighbours = [one for one in listed.entries if one.listing.category == listing.category and one != entry]
    type_ = orders.TYPES.get(listing.type)
    shown = {
        "service": row,
        "listing": listing,
        "kind": prices.TYPES.get(listing.type, listing.type),
        "is_own": prices.is_priced_for(request),
        "is_in_form": listing.type in TYPES,
        "examples": prices.examples(listing, row.rate_micros),
        "required": type_.required if type_ else (),
        "optional": _optional(type_.optional, is_in_runs=listing.dripfeed) if type_ else (),
        "terms": Service.objects.only("refill_days", "refill_most").get(id=number),
        "neighbours": prices.rows(neighbours[:MOST_NEIGHBOURS], discount),
        "samples": _samples(request, listing),
        "category": Question(category=listing.category).address,
        "structured": structured.script(structured.service(request, row, listing.rate_per)),
    }
    return render(request, "site/offers/one.html", shown)


def _samples(request: HttpRequest, listing: Listing) -> list[dict[str, Any]]:
    """Write a call for types that need no texts of the reader's own."""
    required = orders.TYPES[listing.type].required if listing.type in orders.TYPES else ()
    if not {"link", "quantity"}.issuperset(required):
        return []
    said = {"link": "https://example.com/spring", "quantity": str(listing.minimum)}
    fields = {"action": "add", "service": str(listing.id), **{name: said[name] for name in required}}
    return landing.calls(request, fields | {"request_id": "7c9e6679-7425-40de-944b"})


def _optional(parameters: tuple[str, ...], *, is_in_runs: bool) -> list[str]:
    return [name for name in parameters if is_in_runs or name not in {"runs", "interval"}]


def _around(listed: PriceList, question: Question) -> dict[str, Any]:
    """Return what stands beside the list: every filter with what can be chosen."""
    return {
        "listed": listed,
        "types": [(name, prices.TYPES.get(name, name)) for name in listed.types],
        "priced": tuple(PRICED),
        "longest": LONGEST_SEARCH,
        "is_unfolded": question.is_narrow,
        "currency": settings.PANELRY_CURRENCY,
    }
