"""By which route an order is bought (money-and-lifecycle.md, 8)."""

from collections.abc import Collection, Sequence

from panelry.domain.catalog.values import Route, RouteId


def route_for(routes: Sequence[Route], *, refused: Collection[RouteId] = ()) -> Route | None:
    """Choose where to buy: the first open route that has not definitely refused the order, else the first that may open."""
    left = [route for route in routes if route.id not in refused]
    return next((route for route in left if route.is_open), left[0] if left else None)
