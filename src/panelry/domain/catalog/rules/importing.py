"""What a row of a provider's list becomes (money-and-lifecycle.md, 1)."""

from decimal import Decimal
from typing import Final

from panelry.domain.catalog.rules.pricing import sale_rate
from panelry.domain.catalog.values import (
    DRIP_FEED_TYPES,
    PER_PACKAGE,
    PER_THOUSAND,
    SELLABLE_TYPES,
    Margin,
    NewService,
    Purchase,
)
from panelry.domain.money import Micros
from panelry.domain.providers import SnapshotRow

UNSORTED: Final = "Other"
PACKAGE_TYPES: Final = frozenset({"Package", "Custom Comments Package"})


def believed(
    type_: str, *, rate_micros: Micros, minimum: int | None, maximum: int | None, rate_per: int | None = None
) -> Purchase:
    """Return what of a row of a provider's list needs no guess; nothing is ever listed for nothing.

    The price of a package is understood only where its limits are exactly one, and it is sold by the piece
    (`rate_per`, where that is decided already).
    """
    if type_ in PACKAGE_TYPES and ((minimum, maximum) != (1, 1) or rate_per not in {None, PER_PACKAGE}):
        return Purchase()
    cost = rate_micros if rate_micros > 0 else None
    if minimum is None or maximum is None or not 1 <= minimum <= maximum:
        return Purchase(cost_micros=cost)
    return Purchase(cost_micros=cost, minimum=minimum, maximum=maximum)


def for_sale(row: SnapshotRow, *, currency_rate: Decimal, margin: Margin) -> NewService:
    """Turn a row of a provider's list into a service.

    It comes on sale only where nothing has to be guessed: a type that we sell, a price, limits that make sense, and for
    packages limits of exactly one; the rest waits for a person.
    """
    purchase = believed(row.type, rate_micros=row.rate_micros, minimum=row.minimum, maximum=row.maximum)
    minimum = max(row.minimum or 1, 1)
    is_piece = row.type in PACKAGE_TYPES and purchase.minimum is not None
    is_understood = None not in (purchase.cost_micros, purchase.minimum)
    return NewService(
        category=row.category or UNSORTED,
        name=row.name,
        description=row.description,
        type=row.type,
        rate_micros=sale_rate(row.rate_micros, currency_rate=currency_rate, margin=margin),
        rate_per=PER_PACKAGE if is_piece else PER_THOUSAND,
        minimum=minimum,
        maximum=max(row.maximum or minimum, minimum),
        refill=row.refill,
        cancel=row.cancel,
        dripfeed=row.dripfeed and row.type in DRIP_FEED_TYPES,
        average_time=row.average_time,
        on_sale=is_understood and row.type in SELLABLE_TYPES,
        margin=margin,
        purchase=purchase,
    )
