"""What is decided about the catalogue: pure functions, one file for each question."""

from panelry.domain.catalog.rules.importing import for_sale
from panelry.domain.catalog.rules.pricing import sale_rate
from panelry.domain.catalog.rules.routing import route_for

__all__ = ["for_sale", "route_for", "sale_rate"]
