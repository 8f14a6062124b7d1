"""What is decided about the catalogue: pure functions, one file for each question."""

from panelry.domain.catalog.rules.changes import changes, rate_text, shown
from panelry.domain.catalog.rules.editing import check_margin, edited
from panelry.domain.catalog.rules.importing import believed, for_sale
from panelry.domain.catalog.rules.pricing import discounted, sale_rate
from panelry.domain.catalog.rules.routing import approved, check_priority, rerouted, route_for, with_route
from panelry.domain.catalog.rules.settling import settled
from panelry.domain.catalog.rules.syncing import synced

__all__ = [
    "approved",
    "believed",
    "changes",
    "check_margin",
    "check_priority",
    "discounted",
    "edited",
    "for_sale",
    "rate_text",
    "rerouted",
    "route_for",
    "sale_rate",
    "settled",
    "shown",
    "synced",
    "with_route",
]
