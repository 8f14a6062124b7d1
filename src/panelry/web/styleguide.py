"""Every component in every state, on one page, while developing."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from panelry import clock
from panelry.domain.orders import OrderState
from panelry.web.components import Column, Point, Tab, chart
from panelry.web.words import OTHER_STATES, counted, priced

AN_ORDER: Final = UUID("019ff5a1-71c2-7d8b-9d26-5b6e9f0a1c2d")
ICONS: Final = (
    "alert", "arrow", "bars", "bell", "check", "clock", "close", "code", "copy", "dots", "down", "drip", "filter", "gear",
    "grid", "help", "key", "language", "ledger", "list", "menu", "out", "passkey", "plug", "plus", "search", "tag", "theme",
    "user", "wallet",
)  # fmt: skip
SPENT: Final = (88, 124, 72, 0, 48, 176, 156, 108, 208, 192, 76, 32, 140, 220, 168, 90, 64, 240, 310, 180)
SAMPLES: Final = [
    {"language": "curl", "name": "curl", "code": "curl https://panel.example/api/v2 -d action=balance"},
    {"language": "python", "name": "Python", "code": 'httpx.post("https://panel.example/api/v2")'},
]


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show the components as the pages include them."""
    return render(request, "styleguide.html", _shown())


def _shown() -> dict[str, Any]:
    now = clock.now()
    return {
        "icons": ICONS,
        "states": list(OrderState),
        "other_states": list(OTHER_STATES),
        "times": [now, now - timedelta(minutes=40), now - timedelta(hours=3), now - timedelta(days=2), now - timedelta(days=30)],
        "amounts": [412_380_000, 30_375_000, 278, -12_800_000, 0],
        "order_id": AN_ORDER,
        "categories": [("display", "Display"), ("print", "Print")],
        "columns": [
            Column(title="Order"),
            Column(title="Service"),
            Column(title="State"),
            Column(title="Charge", kind="num"),
            Column(title="Placed", kind="num spare"),
            Column(title="Actions", is_only_heard=True),
        ],
        "rows": [{"id": AN_ORDER, "state": state, "at": now - timedelta(hours=place)} for place, state in enumerate(OrderState)],
        "tabs": [
            Tab(title="All", address="#all", count=counted(63), is_current=True),
            Tab(title="Pending", address="#pending", count=counted(1)),
            Tab(title="Completed", address="#completed", count=counted(1_248)),
        ],
        "spent": chart(
            [Point(label=f"{day} Nov", value=value) for day, value in enumerate(SPENT, start=1)],
            lambda value: priced(int(value * 1_000_000)),
        ),
        "samples": SAMPLES,
        "items": [
            {"title": "Order again", "address": "#again"},
            {"title": "Cancel order", "address": "#cancel", "is_bad": True},
        ],
    }  # fmt: skip
