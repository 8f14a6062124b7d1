"""Money as whole micros, and the only ways in and out of text (money-and-lifecycle.md, 1 Money)."""

import re
from decimal import Decimal
from typing import Final, NewType

from panelry.domain.refusals import Refusal

Micros = NewType("Micros", int)
"""Millionths of the wallet's currency; always whole, fits a signed 64-bit column."""

UNIT: Final = 1_000_000
ZERO: Final = Micros(0)
LARGEST: Final = Micros(9_000_000_000_000_000_000)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(?:\.([0-9]{1,30}))?", re.ASCII)


class InvalidAmount(Refusal):
    """It was refused because the text is not an amount of money with at most 6 decimals, or is too large."""


def ceil_div(numerator: int, denominator: int) -> int:
    """Divide rounding up, in whole numbers; `denominator` is positive."""
    assert denominator > 0
    return -(-numerator // denominator)


def parse(text: str) -> Micros:
    """Read what a customer or staff member entered, such as `"12.50"`.

    Raises `InvalidAmount` for exponents, signs other than a leading minus, more than 6 decimals or more than `LARGEST`.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None or len(match[1] or "") > 6:
        raise InvalidAmount(amount=text[:40])
    micros = int(Decimal(text) * UNIT)
    if abs(micros) > LARGEST:
        raise InvalidAmount(amount=text)
    return Micros(micros)


def exact_decimal(text: str) -> Decimal | None:
    """Read a provider's figure exactly; `None` for anything but plain digits (no exponent, NaN, infinity)."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def cost_micros(amount: Decimal) -> Micros:
    """Turn what a provider charges into micros, rounding up beyond 6 decimals, at most `LARGEST`."""
    numerator, denominator = amount.as_integer_ratio()  # Decimal's own product would round at 28 digits
    return Micros(min(ceil_div(numerator * UNIT, denominator), LARGEST))


def balance_micros(amount: Decimal) -> Micros:
    """Turn a provider's reported balance into micros, rounding down beyond 6 decimals, at most `LARGEST` either way."""
    numerator, denominator = amount.as_integer_ratio()
    return Micros(max(min(numerator * UNIT // denominator, LARGEST), -LARGEST))


def text(amount: int) -> str:
    """Write micros as on the wire: at least 2 and at most 6 decimals, trailing zeros cut (`"0.50"`, `"0.27819"`)."""
    whole, fraction = divmod(abs(amount), UNIT)
    digits = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if amount < 0 else ''}{whole}.{digits}"
