"""What customers pay for what a provider asks (money-and-lifecycle.md, 1 and 8)."""

from decimal import Decimal
from fractions import Fraction
from math import ceil

from panelry.domain.money import LARGEST, Micros


def sale_rate(cost: Micros, *, currency_rate: Decimal, markup_percent: Decimal) -> Micros:
    """Return what to ask for what costs `cost` in the provider's currency, rounded up to whole micros."""
    rate = cost * Fraction(currency_rate) * (100 + Fraction(markup_percent)) / 100
    return Micros(min(ceil(rate), LARGEST))
