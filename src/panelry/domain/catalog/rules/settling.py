"""What follows for a service when something about it or its routes has changed."""

from collections.abc import Sequence
from dataclasses import replace

from panelry.domain.catalog.rules.importing import PACKAGE_TYPES
from panelry.domain.catalog.rules.pricing import fair_rate, in_ours
from panelry.domain.catalog.values import Off, RouteSheet, Sheet
from panelry.domain.money import Micros


def settled(before: Sheet, after: Sheet) -> Sheet:
    """Return `after` with its routes held or used as their prices say, and the rate and limits that follow.

    A route is used only while customers pay at least what its provider asks; a service that may be sold below cost puts
    up with prices that are believed, but not with a rise that nobody has approved. `before` tells which limits changed:
    those that a person has set stay until the provider's own move.
    """
    used = _used(after, [route for route in after.routes if route.off in {None, Off.HELD}])
    ids = {route.id for route in used}
    routes = tuple(
        replace(route, off=None if route.id in ids else Off.HELD) if route.off in {None, Off.HELD} else route
        for route in after.routes
    )
    priced = replace(after, routes=routes, rate_micros=fair_rate(after, used))
    minimum, maximum = _limits(before, priced)
    return replace(priced, minimum=minimum, maximum=maximum)


def covers(sheet: Sheet, rate: Micros, route: RouteSheet) -> bool:
    """Tell whether orders at this rate may be bought by a route."""
    asked, cost = route.asked_micros, route.cost_micros
    if asked is None or in_ours(asked, route.currency_rate) <= rate:
        return True
    return sheet.below_cost and cost is not None and asked <= cost


def _used(sheet: Sheet, routes: Sequence[RouteSheet]) -> Sequence[RouteSheet]:
    """Leave out routes that are not covered until all are: leaving one out may lower the rate."""
    while True:
        rate = fair_rate(sheet, routes)
        left = [route for route in routes if covers(sheet, rate, route)]
        if len(left) == len(routes):
            return left
        routes = left


def _limits(before: Sheet, after: Sheet) -> tuple[int, int]:
    """Return limits that follow those of the best open route; a package's are part of its price and never do."""
    best = next(iter(after.open_routes), None)
    if best is None or best.minimum is None or best.maximum is None or after.type in PACKAGE_TYPES:
        return after.minimum, after.maximum
    same = next((route for route in before.routes if route.id == best.id), best)
    was = next(iter(before.open_routes), same)
    if was.minimum is None or was.maximum is None:
        minimum, maximum = max(after.minimum, best.minimum), min(after.maximum, best.maximum)
    else:
        minimum = after.minimum if was.minimum == best.minimum else best.minimum
        maximum = after.maximum if was.maximum == best.maximum else best.maximum
    return (minimum, maximum) if minimum <= maximum else (best.minimum, best.maximum)
