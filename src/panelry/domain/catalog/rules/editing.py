"""What a person may change about a service, and to which values."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, Final

from panelry.domain.catalog.rules.pricing import in_ours
from panelry.domain.catalog.rules.settling import settled
from panelry.domain.catalog.values import (
    PER_PACKAGE,
    PER_THOUSAND,
    InvalidValue,
    Margin,
    Off,
    ServiceEdit,
    Sheet,
    SoldBelowCost,
)
from panelry.domain.money import LARGEST, ZERO, text

LARGEST_COUNT: Final = 2**63 - 1
LARGEST_SHORT: Final = 2**15 - 1
LARGEST_PERCENT: Final = Decimal(100_000)
LONGEST: Final = {"name": 500, "category": 500, "average_time": 200, "description": 65_536}
RANGES: Final = {
    "rate_micros": (ZERO, LARGEST),
    "markup_micros": (ZERO, LARGEST),
    "rounding_micros": (1, LARGEST),
    "markup_percent": (0, LARGEST_PERCENT),
    "minimum": (1, LARGEST_COUNT),
    "maximum": (1, LARGEST_COUNT),
    "refill_days": (0, LARGEST_SHORT),
    "refill_most": (0, LARGEST_SHORT),
}
PRICING: Final = frozenset(
    {
        "rate_micros", "rate_per", "follows_prices", "markup_percent", "markup_micros", "rounding_micros", "below_cost",
        "on_sale",
    }
)  # fmt: skip
_OF_THE_MARGIN: Final = {
    "markup_percent": "percent",
    "markup_micros": "fixed_micros",
    "rounding_micros": "rounding_micros",
}


def edited(sheet: Sheet, edit: ServiceEdit) -> Sheet:
    """Return a service as a person changes it, with the rate that follows.

    Raises `InvalidValue`, or `SoldBelowCost` where it would be sold for nothing, or a route be lost because customers
    would pay less than it costs.
    """
    wishes = {f.name: value for f in fields(edit) if (value := getattr(edit, f.name)) is not None}
    for name, value in wishes.items():
        _check(name, value)
    after = _applied(sheet, wishes)
    if after.minimum > after.maximum:
        raise InvalidValue(min=after.minimum, max=after.maximum)
    if not wishes.keys() & PRICING:
        return after
    after = settled(sheet, after)
    kept = {route.id for route in after.open_routes}
    costs = [in_ours(r.asked_micros or ZERO, r.currency_rate) for r in sheet.open_routes if r.id not in kept]
    is_for_nothing = after.off is None and after.rate_micros == 0 and not after.below_cost
    if costs or is_for_nothing:
        costs_text = text(max(costs, default=ZERO))
        raise SoldBelowCost(service=sheet.id, costs=costs_text, rate=text(after.rate_micros))
    return after


def _applied(sheet: Sheet, wishes: dict[str, Any]) -> Sheet:
    margin = {_OF_THE_MARGIN[name]: value for name, value in wishes.items() if name in _OF_THE_MARGIN}
    plain = {name: value for name, value in wishes.items() if name not in {*_OF_THE_MARGIN, "on_sale"}}
    if "rate_micros" in wishes:
        plain.setdefault("follows_prices", False)
    off = sheet.off
    if "on_sale" in wishes:
        off = None if wishes["on_sale"] else Off.STAFF
    return replace(sheet, **plain, off=off, margin=replace(sheet.margin, **margin))


def _check(name: str, value: Any) -> None:
    if name in RANGES:
        least, most = RANGES[name]
        is_well = least <= value <= most
    elif name in LONGEST:
        is_well = len(value) <= LONGEST[name] and "\0" not in value
        if name in {"name", "category"}:
            is_well = is_well and bool(value.strip()) and value.isprintable()
    else:
        is_well = name != "rate_per" or value in {PER_PACKAGE, PER_THOUSAND}
    if not is_well:
        raise InvalidValue(field=name, value=str(value)[:100])


def check_margin(margin: Margin) -> None:
    """Refuse a margin that is negative, rounds to nothing, or is beyond what money can be. Raises `InvalidValue`."""
    for name, part in _OF_THE_MARGIN.items():
        _check(name, getattr(margin, part))
