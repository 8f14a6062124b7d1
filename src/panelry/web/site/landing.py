"""The first page: what this panel does, shown with its own catalogue and figures that are computed, not claimed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from panelry.domain import money, orders
from panelry.domain.catalog import PER_THOUSAND
from panelry.domain.money import Micros
from panelry.web.site import price_list, prices, structured
from panelry.web.site.addresses import root
from panelry.web.site.caching import public
from panelry.web.site.developers import samples
from panelry.web.site.developers.highlight import highlighted
from panelry.web.site.price_list import Entry

MOST_SHOWN: Final = 6
RATE: Final = money.parse("2.25")
QUANTITY, REMAINS = 20_000, 6_500
ORDER: Final = "ord_01KAN7Q2C8V5W3M9T4E6R1XH0B"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An order that ended early, as the rules of the business compute it."""

    rate_micros: Micros
    quantity: int
    remains: int
    charge_micros: Micros
    refund_micros: Micros

    @property
    def delivered(self) -> int:
        """Return how many units arrived."""
        return self.quantity - self.remains

    @property
    def kept_micros(self) -> Micros:
        """Return what the delivered part costs."""
        return Micros(self.charge_micros - self.refund_micros)


@public
def home(request: HttpRequest) -> HttpResponse:
    """Show the first page."""
    listed = price_list.current()
    excerpt = _excerpt(listed.entries)
    shown = {
        "rows": prices.rows(excerpt, prices.discount_for(request)),
        "count": len(listed.entries),
        "story": story(),
        "request_samples": _samples(request, excerpt),
        "answer_samples": [_sample("json", "JSON", '{\n  "order": "' + ORDER + '"\n}', "json")],
        "is_open": get_adapter(request).is_open_for_signup(request),
        "structured": structured.script(structured.organization(request)),
        "currency": settings.PANELRY_CURRENCY,
    }
    return render(request, "site/home.html", shown)


def story() -> Story:
    """Return the example order."""
    charge = orders.charge_for(rate=RATE, rate_per=PER_THOUSAND, units=QUANTITY)
    refund = orders.refund_due(charge=charge, quantity=QUANTITY, remains=REMAINS)
    return Story(
        rate_micros=RATE, quantity=QUANTITY, remains=REMAINS, charge_micros=charge, refund_micros=refund
    )


def _excerpt(entries: Sequence[Entry]) -> list[Entry]:
    """Choose a few services, one of each category in turn."""
    by_category: dict[str, list[Entry]] = {}
    for entry in entries:
        by_category.setdefault(entry.listing.category, []).append(entry)
    columns = list(by_category.values())[:MOST_SHOWN]
    turns = [column[turn] for turn in range(MOST_SHOWN) for column in columns if turn < len(column)]
    chosen = set(map(id, turns[:MOST_SHOWN]))
    return [entry for column in columns for entry in column[:MOST_SHOWN] if id(entry) in chosen]


def _samples(request: HttpRequest, excerpt: Sequence[Entry]) -> list[dict[str, Any]]:
    plain = next((entry.listing for entry in excerpt if entry.listing.type == "Default"), None)
    quantity = min(max(QUANTITY, plain.minimum), plain.maximum) if plain else QUANTITY
    fields = {
        "action": "add",
        "service": str(plain.id if plain else 402),
        "quantity": str(quantity),
        "link": "https://example.com/spring",
        "request_id": "7c9e6679-7425-40de-944b",
    }
    return calls(request, fields)


def calls(request: HttpRequest, fields: dict[str, str]) -> list[dict[str, Any]]:
    """Write one call of this panel's API in every language of the documentation."""
    address = f"{root(request)}/api/v2"
    return [
        _sample(language, title, write(address, fields).rstrip(), samples.FENCES[language])
        for language, (title, write) in samples.LANGUAGES.items()
    ]


def _sample(language: str, name: str, code: str, fence: str) -> dict[str, Any]:
    return {"language": language, "name": name, "code": highlighted(code, fence)}
