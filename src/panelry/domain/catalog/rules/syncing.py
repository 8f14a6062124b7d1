"""What a provider's new list changes, and what only a person may change (money-and-lifecycle.md, 8)."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from panelry.domain.catalog.rules.importing import believed
from panelry.domain.catalog.rules.pricing import in_ours
from panelry.domain.catalog.rules.settling import settled
from panelry.domain.catalog.values import Move, MoveState, Off, RouteSheet, Sheet
from panelry.domain.money import Micros, cost_micros
from panelry.domain.providers import ProviderId, UpstreamService


def synced(
    sheet: Sheet, provider_id: ProviderId, listed: Mapping[str, UpstreamService], *, move_percent: Decimal
) -> Sheet:
    """Return a service as a provider's new list leaves it; `listed` has its rows by their ids.

    A price is followed while it stays within `move_percent` of the one we count with, either way, and, where the rate
    is a person's, customers still pay for it; otherwise it is held. The same list again changes nothing.
    """
    routes = tuple(
        _heard(sheet, route, listed.get(route.provider_service), move_percent)
        if route.provider_id == provider_id
        else route
        for route in sheet.routes
    )
    return settled(sheet, replace(sheet, routes=routes))


def _heard(sheet: Sheet, route: RouteSheet, row: UpstreamService | None, move_percent: Decimal) -> RouteSheet:
    if row is None or row.type != sheet.type:  # an id that now means something else is not what we sell
        return replace(route, move=None, off=Off.STAFF if route.off is Off.STAFF else Off.VANISHED)
    said = believed(
        row.type,
        rate_micros=cost_micros(row.rate),
        minimum=row.minimum,
        maximum=row.maximum,
        rate_per=sheet.rate_per,
    )
    heard = replace(route, off=None if route.off in {Off.VANISHED, Off.REFUSED} else route.off)
    if said.minimum is not None:
        heard = replace(heard, minimum=said.minimum, maximum=said.maximum)
    return heard if said.cost_micros is None else _asked(sheet, heard, said.cost_micros, move_percent)


def _asked(sheet: Sheet, route: RouteSheet, asked: Micros, move_percent: Decimal) -> RouteSheet:
    is_paid = (
        sheet.follows_prices or sheet.below_cost or in_ours(asked, route.currency_rate) <= sheet.rate_micros
    )
    if is_paid and (route.cost_micros is None or _is_near(asked, route.cost_micros, move_percent)):
        return replace(route, cost_micros=asked, move=None)
    if route.move is not None and route.move.after_micros == asked:
        return route
    before = asked if route.cost_micros is None else route.cost_micros
    return replace(route, move=Move(id=None, before_micros=before, after_micros=asked, state=MoveState.HELD))


def _is_near(asked: Micros, cost: Micros, move_percent: Decimal) -> bool:
    return abs(asked - cost) * 100 <= cost * Fraction(move_percent)
