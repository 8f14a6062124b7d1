"""The service types as a table, and how a draft's parameters are read by it (api-v2.md, 5)."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from panelry.domain.catalog import Service
from panelry.domain.orders.values import (
    Draft,
    DripFeedUnavailable,
    InvalidCoupon,
    InvalidLink,
    InvalidQuantity,
    LinkTooLong,
    MissingParameter,
    NotPositiveInteger,
    QuantityOutOfRange,
    Wanted,
)

NUMERIC: Final = frozenset(
    {
        "quantity",
        "runs",
        "interval",
        "answer_number",
        "device",
        "type_of_traffic",
        "min",
        "max",
        "posts",
        "old_posts",
        "delay",
    }
)
TEXTUAL: Final = frozenset(
    {
        "link", "coupon", "username", "usernames", "hashtag", "hashtags", "media", "comments", "groups", "keywords",
        "country", "google_keyword", "referring_url", "expiry",
    }
)  # fmt: skip
PARAMETERS: Final = NUMERIC | TEXTUAL
"""Every parameter that any type knows: what makes two orders the same; other fields of a request are ignored."""

MAX_LINK: Final = 1000
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceType:
    """One row of the table: which parameters a type needs, and which it takes."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


TYPES: Final[Mapping[str, ServiceType]] = {
    "Default": ServiceType(required=("link", "quantity"), optional=("runs", "interval")),
}


def fingerprint(draft: Draft) -> bytes:
    """Return a digest of what is ordered; equal for two calls that say the same in other words (`007` and `7`)."""
    said = {name: _normal(name, text) for name, text in draft.parameters.items()}
    return hashlib.sha256(json.dumps([draft.service, said], sort_keys=True).encode()).digest()


def read(service: Service, parameters: Mapping[str, str]) -> Wanted:
    """Read a draft's parameters as the service's type wants them.

    Raises the refusal of the first parameter that is wrong, in the order of the table.
    """
    type_ = TYPES[service.type]
    for name in type_.required:
        if name not in parameters:
            raise MissingParameter(parameter=name)
    link = _link(parameters["link"])
    quantity = _quantity(service, parameters["quantity"])
    _drip_feed(parameters)
    if "coupon" in parameters:
        raise InvalidCoupon
    return Wanted(link=link, quantity=quantity)


def positive_integer(text: str) -> int | None:
    """Read ASCII digits as a number from 1 up; larger than any column counts as the largest. `None` for all else."""
    if not _DIGITS.fullmatch(text):
        return None
    digits = text.lstrip("0")
    if not digits:
        return None
    return int(digits) if len(digits) < 19 else _LARGEST


def _link(text: str) -> str:
    if len(text) > MAX_LINK:
        raise LinkTooLong(most=MAX_LINK)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable or any(c.isspace() or not c.isprintable() for c in text):
        raise InvalidLink
    return text


def _quantity(service: Service, text: str) -> int:
    quantity = positive_integer(text)
    if quantity is None:
        raise InvalidQuantity
    if not service.minimum <= quantity <= service.maximum:
        raise QuantityOutOfRange(min=service.minimum, max=service.maximum)
    return quantity


def _drip_feed(parameters: Mapping[str, str]) -> None:
    for name in ("runs", "interval"):
        if name in parameters and positive_integer(parameters[name]) is None:
            raise NotPositiveInteger(parameter=name)
    if "runs" in parameters:
        raise DripFeedUnavailable


def _normal(name: str, text: str) -> str:
    if name in NUMERIC and _DIGITS.fullmatch(text):
        return text.lstrip("0") or "0"
    return text.replace("\r\n", "\n")
