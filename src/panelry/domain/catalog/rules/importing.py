"""What a row of a provider's list becomes (money-and-lifecycle.md, 1)."""

from decimal import Decimal
from typing import Final

from panelry.domain.catalog.rules.pricing import sale_rate
from panelry.domain.catalog.values import (
    DRIP_FEED_TYPES,
    PER_PACKAGE,
    PER_THOUSAND,
    SELLABLE_TYPES,
    NewService,
)
from panelry.domain.providers import SnapshotRow

UNSORTED: Final = "Other"
PACKAGE_TYPES: Final = frozenset({"Package", "Custom Comments Package"})


def for_sale(row: SnapshotRow, *, currency_rate: Decimal, markup_percent: Decimal) -> NewService:
    """Turn a row of a provider's list into a service.

    It comes on sale only where nothing has to be guessed: a type that we sell, a price, limits that make sense, and for
    packages limits of exactly one; the rest waits for a person.
    """
    limits = (row.minimum, row.maximum)
    minimum = max(row.minimum or 1, 1)
    maximum = max(row.maximum or minimum, minimum)
    is_package = row.type in PACKAGE_TYPES
    understood = limits == (1, 1) if is_package else None not in limits and limits == (minimum, maximum)
    return NewService(
        category=row.category or UNSORTED,
        name=row.name,
        description=row.description,
        type=row.type,
        rate_micros=sale_rate(row.rate_micros, currency_rate=currency_rate, markup_percent=markup_percent),
        rate_per=PER_PACKAGE if is_package and limits == (1, 1) else PER_THOUSAND,
        minimum=minimum,
        maximum=maximum,
        refill=row.refill,
        cancel=row.cancel,
        dripfeed=row.dripfeed and row.type in DRIP_FEED_TYPES,
        average_time=row.average_time,
        on_sale=understood and row.type in SELLABLE_TYPES and row.rate_micros > 0,
    )
