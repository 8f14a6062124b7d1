"""Ids: 128 bits, time-ordered, made here; shown as a prefix and 26 Crockford base32 characters."""

import os
from typing import Final
from uuid import UUID

from panelry import clock

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {character: value for value, character in enumerate(ALPHABET)}
_LENGTH: Final = 26
_VERSION_7: Final = 0x7 << 76 | 0x2 << 62

ORDER, ACCOUNT, KEY, EVENT, SUBMISSION, REFILL, WEBHOOK = (
    "ord_",
    "acc_",
    "key_",
    "evt_",
    "sub_",
    "ref_",
    "whk_",
)


def new() -> UUID:
    """Make an id: 48 bits of milliseconds, then 74 random bits (UUID version 7, RFC 9562)."""
    random = int.from_bytes(os.urandom(10))
    return UUID(
        int=clock.unix_milliseconds() << 80
        | (random >> 62 & 0xFFF) << 64
        | random & (1 << 62) - 1
        | _VERSION_7
    )


def show(prefix: str, id_: UUID) -> str:
    """Write an id as people and programs see it, such as `ord_01KAP4B6Z2X3V8T9QWERTY0ABC`."""
    number = id_.int
    return prefix + "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def parse(prefix: str, text: str) -> UUID | None:
    """Read what `show` wrote; `None` for anything else, other spellings of the same number included."""
    digits = text.removeprefix(prefix)
    if len(text) != len(prefix) + _LENGTH or len(digits) != _LENGTH or digits[0] > "7":
        return None
    number = 0
    for character in digits:
        value = _VALUES.get(character)
        if value is None:
            return None
        number = number << 5 | value
    return UUID(int=number)
