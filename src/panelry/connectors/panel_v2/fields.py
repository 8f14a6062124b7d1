"""One field of a provider's answer, whatever JSON type it came in. Unreadable is `None`, never a guess."""

import re
from decimal import Decimal
from typing import Any, Final

from panelry.domain import money

_ID: Final = re.compile(r"(?=.*[1-9])[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_LONG: Final = 16
"""Digits that are more than any figure has (see `money.exact_decimal`)."""
_LARGEST_COUNT: Final = 2**63 - 1
_LARGEST_AMOUNT: Final = Decimal(10**12)
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_NOT_TEXT: Final = re.compile("[\x00\ud800-\udfff]")  # what a database cannot store


def written(value: Any) -> str:
    """Return a string or number as text, trimmed; everything else is empty."""
    match value:
        case bool():
            return ""
        case str() | int() | Decimal():
            return str(value).strip()
        case _:
            return ""


def text(value: Any, limit: int) -> str:
    """Return text that a database can store, at most `limit` characters of it."""
    return _NOT_TEXT.sub("", written(value))[:limit]


def identifier(value: Any) -> str | None:
    """Return an id as text. Words such as "error", zero and negative numbers are not ids."""
    whole = isinstance(value, Decimal) and value == value.to_integral_value()
    found = written(int(value) if whole else value)
    return found if _ID.fullmatch(found) else None


def amount(value: Any) -> Decimal | None:
    """Return money exactly as written; negative amounts are read too."""
    exact = money.exact_decimal(written(value))
    return exact if exact is not None and abs(exact) < _LARGEST_AMOUNT else None


def cost(value: Any) -> Decimal | None:
    """Return what something costs: an amount that is not negative."""
    exact = amount(value)
    return exact if exact is not None and exact >= 0 else None


def count(value: Any) -> int | None:
    """Return a whole number, also when written as "650" or 650.0; it may be negative."""
    if isinstance(value, str) and len(value) < _LONG and value.isascii() and value.isdigit():
        return int(value)  # as nearly all of them are
    exact = money.exact_decimal(written(value))
    if exact is None or exact != exact.to_integral_value() or abs(exact) > _LARGEST_COUNT:
        return None
    return int(exact)


def limit(value: Any) -> int | None:
    """Return a service's minimum or maximum: a count that is not negative."""
    whole = count(value)
    return whole if whole is not None and whole >= 0 else None


def flag(value: Any) -> bool:
    """Return a switch; absent or unreadable is off."""
    return value is True or written(value).lower() in _TRUE
