"""What customers pay for what a provider asks (money-and-lifecycle.md, 1 and 8)."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

from panelry.domain.catalog.values import Margin, RouteSheet, Sheet
from panelry.domain.money import LARGEST, Micros, ceil_div

PERCENT: Final = 100


def in_ours(cost: Micros, currency_rate: Decimal) -> Micros:
    """Return what a cost in a provider's currency is in ours, rounded up."""
    return Micros(min(ceil(cost * Fraction(currency_rate)), LARGEST))


def sale_rate(cost: Micros, *, currency_rate: Decimal, margin: Margin) -> Micros:
    """Return what to ask for what costs `cost` in the provider's currency: with the margin, rounded up as it says."""
    exact = cost * Fraction(currency_rate) * (100 + Fraction(margin.percent)) / 100 + margin.fixed_micros
    return _rounded_up(exact, margin)


def discounted(rate: Micros, percent: Decimal) -> Micros:
    """Return what a rate is for a tier that is given `percent` off: rounded up to a whole micro, the rate itself at 0 %."""
    assert 0 <= percent < PERCENT
    part, whole = percent.as_integer_ratio()
    return Micros(ceil_div(rate * (PERCENT * whole - part), PERCENT * whole))


def fair_rate(sheet: Sheet, routes: Sequence[RouteSheet]) -> Micros:
    """Return the rate of a service that is bought by these routes, best first.

    Where it follows prices: what the first costs, with the margin, but no less than any of them costs unless it may be
    sold below cost. Routes whose cost is not known say nothing about it.
    """
    costs = [(route.cost_micros, route.currency_rate) for route in routes if route.cost_micros is not None]
    if not sheet.follows_prices or not costs:
        return sheet.rate_micros
    (best, currency_rate), *others = costs
    rate = sale_rate(best, currency_rate=currency_rate, margin=sheet.margin)
    if sheet.below_cost:
        return rate
    floor = max((cost * Fraction(worth) for cost, worth in others), default=Fraction(0))
    return max(rate, _rounded_up(floor, sheet.margin))


def _rounded_up(exact: Fraction, margin: Margin) -> Micros:
    return Micros(min(ceil(exact / margin.rounding_micros) * margin.rounding_micros, LARGEST))
