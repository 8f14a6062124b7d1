"""How a draft's parameters are read as its service's type wants them (api-v2.md, 5)."""

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from panelry.domain.catalog import Service
from panelry.domain.orders.rules.types import (
    DRIP_FEED,
    LISTS,
    NUMBERS,
    TEXTS,
    TYPES,
    Quantity,
    ServiceType,
)
from panelry.domain.orders.values import (
    Draft,
    DripFeedUnavailable,
    InvalidExpiry,
    InvalidLink,
    InvalidQuantity,
    InvalidUrl,
    LinkTooLong,
    MaxBelowMin,
    MissingParameter,
    NotOneLine,
    NotPositiveInteger,
    NotWholeNumber,
    ParameterOutOfRange,
    ParameterTooLong,
    QuantityOutOfRange,
    TooManyLines,
    Wanted,
)

MOST_LINES: Final = 10_000
LONGEST_LIST: Final = 1_000_000
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_USUAL_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,4})?([/?#][!-~]*)?", re.ASCII)
_DATE: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LARGEST: Final = 2**63 - 1


def fingerprint(draft: Draft) -> bytes:
    """Return a digest of what is ordered; equal for two calls that say the same in other words (`007` and `7`)."""
    said = [f"{draft.service}"]
    for name, text in sorted(draft.parameters.items()):
        normal = _normal(name, text)
        said.append(f"{name}:{len(normal)}:{normal}")
    # What is no text in any encoding is refused later, and must not stop the others of its set.
    return hashlib.sha256("|".join(said).encode(errors="surrogatepass")).digest()


def read(service: Service, parameters: Mapping[str, str], *, today: date) -> Wanted:
    """Read a draft's parameters as the service's type wants them; those of other types are left out.

    Raises the refusal of the first parameter that is wrong, in the order of the table.
    """
    type_ = TYPES[service.type]
    for name in type_.required:
        if name not in parameters:
            raise MissingParameter(parameter=name)
    said = {
        name: _value(service, name, parameters[name], today)
        for name in (*type_.required, *type_.optional)
        if name in parameters and name not in DRIP_FEED
    }
    for (name, value), needed in type_.needs.items():
        if said[name] == value and needed not in said:
            raise MissingParameter(parameter=needed)
    if "min" in said and int(said["max"]) < int(said["min"]):
        raise MaxBelowMin
    quantity = _quantity(service, type_, said)
    runs, interval = _drip_feed(service, type_, parameters, quantity)
    return Wanted(
        link=said.get("link"),
        quantity=quantity,
        extras={name: text for name, text in said.items() if name not in {"link", "quantity"}},
        posts=int(said["posts"]) if "posts" in said else None,
        runs=runs,
        interval_minutes=interval,
        coupon=parameters.get("coupon"),
    )


def positive_integer(text: str) -> int | None:
    """Read ASCII digits as a number from 1 up; larger than any column counts as the largest. `None` for all else."""
    return _whole_number(text) or None


def _value(service: Service, name: str, text: str, today: date) -> str:
    """Read one parameter and write it as it is kept."""
    match name:
        case "link":
            return _link(text)
        case "quantity":
            return str(_within_limits(service, positive_integer(text)))
        case "min" | "max":
            return str(_within_limits(service, _number(name, text)))
        case "expiry":
            return _expiry(text, today)
        case "referring_url":
            return _url(name, text)
    if name in NUMBERS:
        return str(_number(name, text))
    return "\n".join(_lines(name, text)) if name in LISTS else _text(name, text)


def _quantity(service: Service, type_: ServiceType, said: Mapping[str, str]) -> int:
    match type_.quantity:
        case Quantity.PARAMETER:
            return int(said["quantity"])
        case Quantity.LINES:
            return _within_limits(service, said[type_.lines_of].count("\n") + 1)
        case Quantity.FIXED:
            return service.minimum


def _within_limits(service: Service, quantity: int | None) -> int:
    if quantity is None:
        raise InvalidQuantity
    if not service.minimum <= quantity <= service.maximum:
        raise QuantityOutOfRange(min=service.minimum, max=service.maximum)
    return quantity


def _drip_feed(
    service: Service, type_: ServiceType, parameters: Mapping[str, str], quantity: int
) -> tuple[int, int | None]:
    """Return runs and the minutes between them; only more than one run makes a drip-feed."""
    for name in DRIP_FEED:
        if name in parameters and positive_integer(parameters[name]) is None:
            raise NotPositiveInteger(parameter=name)
    if "runs" not in parameters:
        return 1, None
    if not service.dripfeed or "runs" not in type_.optional:
        raise DripFeedUnavailable
    runs = _number("runs", parameters["runs"], most=_LARGEST // quantity)
    if runs == 1:
        return 1, None
    if "interval" not in parameters:
        raise MissingParameter(parameter="interval")
    return runs, _number("interval", parameters["interval"])


def _number(name: str, text: str, *, most: int = _LARGEST) -> int:
    least, largest = NUMBERS[name]
    largest = min(largest, most)
    number = _whole_number(text)
    if number is None or number < least:
        raise NotPositiveInteger(parameter=name) if least else NotWholeNumber(parameter=name)
    if number > largest:
        raise ParameterOutOfRange(parameter=name, min=least, max=largest)
    return number


def _whole_number(text: str) -> int | None:
    if not _DIGITS.fullmatch(text):
        return None
    digits = text.lstrip("0") or "0"
    return min(int(digits[:20]), _LARGEST)  # 20 digits are more than any column holds


def _lines(name: str, text: str) -> list[str]:
    if len(text) > LONGEST_LIST:
        raise ParameterTooLong(parameter=name, most=LONGEST_LIST)
    lines = [line for line in map(str.strip, text.replace("\0", "").split("\n")) if line]
    if not lines:
        raise MissingParameter(parameter=name)
    if len(lines) > MOST_LINES:
        raise TooManyLines(parameter=name, most=MOST_LINES)
    return lines


def _text(name: str, text: str) -> str:
    if len(text) > TEXTS[name]:
        raise ParameterTooLong(parameter=name, most=TEXTS[name])
    if _CONTROL.search(text):
        raise NotOneLine(parameter=name)
    return text


def _url(name: str, text: str) -> str:
    if not _is_url(_text(name, text)):
        raise InvalidUrl(parameter=name)
    return text


def _link(text: str) -> str:
    if len(text) > TEXTS["link"]:
        raise LinkTooLong(most=TEXTS["link"])
    if not _is_url(text):
        raise InvalidLink
    return text


def _is_url(text: str) -> bool:
    if _USUAL_URL.fullmatch(text):  # what follows would say yes, and take ten times as long
        return True
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        return False
    return usable and text.isprintable() and " " not in text  # no other space is printable


def _expiry(text: str, today: date) -> str:
    found = _DATE.fullmatch(text)
    try:
        if found and date(int(found[3]), int(found[2]), int(found[1])) >= today:
            return text
    except ValueError:  # no such day
        pass
    raise InvalidExpiry


def _normal(name: str, text: str) -> str:
    if name in NUMBERS and _DIGITS.fullmatch(text):
        return text.lstrip("0") or "0"
    if name == "coupon":
        return text.upper()
    return text.replace("\r\n", "\n")
