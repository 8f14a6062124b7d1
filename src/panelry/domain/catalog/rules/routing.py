"""By which route an order is bought, and what people may change about routes (money-and-lifecycle.md, 8)."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from panelry.domain.catalog.rules.pricing import in_ours
from panelry.domain.catalog.rules.settling import covers, settled
from panelry.domain.catalog.values import (
    InvalidValue,
    Off,
    Route,
    RouteId,
    RouteSheet,
    Sheet,
    SoldBelowCost,
)
from panelry.domain.money import Micros, text

LARGEST_PRIORITY: Final = 2**15 - 1


def route_for(routes: Sequence[Route], *, refused: Collection[RouteId] = ()) -> Route | None:
    """Choose where to buy: the first open route that has not definitely refused the order, else the first that may open."""
    second = None
    for route in routes:
        if route.id not in refused:
            if route.is_open:
                return route
            second = second or route
    return second


def with_route(before: Sheet, after: Sheet, route_id: RouteId) -> Sheet:
    """Return a service that has got one more route, with what follows.

    A first route may raise a rate that follows prices, one that only stands in may not. Raises `SoldBelowCost`.
    """
    after = settled(before, after)
    route = _found(after, route_id)
    is_first = after.open_routes[:1] == (route,)
    if route.off is Off.HELD or not (is_first or covers(before, before.rate_micros, route)):
        raise _below_cost(before, route)
    return after


def rerouted(before: Sheet, route_id: RouteId, *, on: bool | None, priority: int | None) -> Sheet:
    """Return a service one of whose routes a person switches or moves. Raises `InvalidValue` or `SoldBelowCost`."""
    route = _found(before, route_id)
    if priority is not None:
        check_priority(priority)
        route = replace(route, priority=priority)
    if on is not None:
        route = replace(route, off=None if on else Off.STAFF)
    after = settled(before, _with(before, route))
    if on and _found(after, route_id).off is Off.HELD:
        raise _below_cost(after, route)
    return after


def approved(before: Sheet, route_id: RouteId, cost: Micros) -> Sheet:
    """Return a service for whose route a person believes this price. Raises `SoldBelowCost`."""
    route = replace(_found(before, route_id), cost_micros=cost, move=None)
    after = settled(before, _with(before, route))
    if _found(after, route_id).off is Off.HELD:
        raise _below_cost(after, route)
    return after


def check_priority(priority: int) -> None:
    """Refuse a priority that cannot be stored. Raises `InvalidValue`."""
    if not 0 <= priority <= LARGEST_PRIORITY:
        raise InvalidValue(field="priority", value=priority)


def _found(sheet: Sheet, route_id: RouteId) -> RouteSheet:
    [route] = [route for route in sheet.routes if route.id == route_id]
    return route


def _with(sheet: Sheet, changed: RouteSheet) -> Sheet:
    routes = [changed if route.id == changed.id else route for route in sheet.routes]
    return replace(sheet, routes=tuple(sorted(routes, key=lambda route: (route.priority, route.id))))


def _below_cost(sheet: Sheet, route: RouteSheet) -> SoldBelowCost:
    asked = in_ours(route.asked_micros or Micros(0), route.currency_rate)
    return SoldBelowCost(service=sheet.id, costs=text(asked), rate=text(sheet.rate_micros))
