"""The form of API keys (api-v2.md, 2 Keys), of log-ins and of tiers."""

import hashlib
import re
import zlib
from decimal import Decimal
from typing import Final

from panelry.domain.accounts.values import InvalidLabel, InvalidLimit, InvalidTier, KeyDigest
from panelry.domain.money import LARGEST, Micros

MAX_ACTIVE_KEYS: Final = 10
KEY_PER_MINUTE: Final = 100
"""How many requests a minute a key may make that has no limit of its own."""
LONGEST_LABEL: Final = 100
MOST_PER_MINUTE: Final = 1_000_000
LARGEST_DISCOUNT: Final = Decimal("99.99")
MIN_PASSWORD: Final = 10
PREFIX: Final = "pnl_"
_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS: Final = [one + other for one in _BASE62 for other in _BASE62]
_KEY_FORM: Final = re.compile(r"pnl_[0-9A-Za-z]{43}[0-9A-Za-z]{6}", re.ASCII)
_EMAIL_FORM: Final = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,185}\.[^@\s\x00-\x1f.]{2,}")


def key_from(random: int) -> str:
    """Write 256 random bits as a key: `pnl_`, 43 base62 characters, 6 of checksum that secret scanners can verify."""
    body = _base62(random, 43)
    return PREFIX + body + _checksum(body)


def is_well_formed(key: str) -> bool:
    """Tell whether the text could be one of our keys; says nothing about whether it is one."""
    return _KEY_FORM.fullmatch(key) is not None and _checksum(key[4:47]) == key[47:]


def digest(key: str) -> KeyDigest:
    """Return what a key is stored and looked up by; any text has one."""
    return KeyDigest(hashlib.sha256(key.encode()).digest())


def shown_prefix(key: str) -> str:
    """Return the part of a key by which people tell their keys apart: `pnl_` and 8 characters."""
    return key[:12]


def check_key(label: str, per_minute: int | None) -> None:
    """Refuse what no key can have. Raises `InvalidLabel` or `InvalidLimit`."""
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise InvalidLabel(most=LONGEST_LABEL)
    if per_minute is not None and not 0 < per_minute <= MOST_PER_MINUTE:
        raise InvalidLimit(most=MOST_PER_MINUTE)


def check_tier(per_minute: int | None, threshold: Micros | None, discount: Decimal | None) -> None:
    """Refuse what no tier can have; `None` is not looked at. Raises `InvalidTier`."""
    is_good = (
        (per_minute is None or 0 < per_minute <= MOST_PER_MINUTE)
        and (threshold is None or 0 <= threshold <= LARGEST)
        and (discount is None or (0 <= discount <= LARGEST_DISCOUNT and discount == round(discount, 2)))
    )
    if not is_good:
        raise InvalidTier


def normal_email(text: str) -> str | None:
    """Return an address as it is stored, in ASCII lower case only, so that no locale can fold two into one."""
    address = "".join(c.lower() if c.isascii() else c for c in text.strip())
    if len(address) > 254 or address != address.lower() or not _EMAIL_FORM.fullmatch(address):
        return None
    return address


def _checksum(body: str) -> str:
    first, last = divmod(zlib.crc32(body.encode()), 62 * 62)
    return "".join([_PAIRS[first // (62 * 62)], _PAIRS[first % (62 * 62)], _PAIRS[last]])


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
