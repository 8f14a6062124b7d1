"""Takes secrets out of what is logged and reported, wherever a library or a traceback may have put them.

Text may hold JSON in JSON, so quotes may carry backslashes.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

HIDDEN: Final = "[hidden]"
_NAME: Final = r"(?:api_?)?key|pass(?:word|wd)?|secret(?:_key)?|token|new_password|password[12]|sslpassword"
_QUOTE: Final = r"""\\{0,9}["']"""
_SECRET_NAME: Final = re.compile(rf"(?:{_NAME})|authorization", re.IGNORECASE)
_SUSPECT: Final = ("pnl_", "whsec_", "://", "authorization", "key", "pass", "secret", "token")
"""Without any of these no rule applies."""
_RULES: Final = (
    # Our own keys: what people tell them apart by may stay, for it is shown to them anyway.
    (re.compile(r"(pnl_[0-9A-Za-z]{8})[0-9A-Za-z]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"whsec_[0-9A-Za-z+/=_%-]+"), f"whsec_{HIDDEN}"),
    # Users and passwords in addresses: postgresql://user:password@host, https://user@host.
    (re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]{0,20}://)[^\s/@\"'\\]+@"), rf"\1{HIDDEN}@"),
    (
        re.compile(
            rf"\b(authorization(?:{_QUOTE})?\s*[:=,]\s*(?:b?{_QUOTE})?)(?:(?:bearer|basic|token)\s+)?[^\s\"'\\,]+", re.IGNORECASE
        ),
        rf"\1{HIDDEN}",
    ),
    # JSON and Python's dictionaries: "key": "…".
    (
        re.compile(rf"({_QUOTE}(?:{_NAME}){_QUOTE}\s*:\s*)b?({_QUOTE})(?:(?!\2).)*", re.IGNORECASE),
        rf"\1\2{HIDDEN}",
    ),
    # Pairs of libraries: ("key", "…").
    (re.compile(rf"(\({_QUOTE}(?:{_NAME}){_QUOTE},\s*)b?({_QUOTE})(?:(?!\2).)*", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    # Forms, URLs, connection strings: key=…, password='…'.
    (re.compile(rf"\b((?:{_NAME})=)(?:(\\{{0,9}}')(?:(?!\2).)+|[^&\s\"'\\,;)\]}}]+)", re.IGNORECASE), rf"\1{HIDDEN}"),
)  # fmt: skip


def may_hold_secrets(text: str) -> bool:
    """Tell whether any rule could apply; looking costs next to nothing."""
    small = text.lower()
    return bool([word for word in _SUSPECT if word in small])


def redact(text: str) -> str:
    """Return the text without anything that looks like a secret."""
    if not may_hold_secrets(text):
        return text
    for pattern, hidden in _RULES:
        text = pattern.sub(hidden, text)
    return text


def redact_all(value: Any) -> Any:
    """Return the same value with every text in it redacted, however deep; what JSON does not know becomes text."""
    match value:
        case str():
            return redact(value)
        case None | bool() | int() | float():
            return value
        case bytes():
            return redact(value.decode(errors="replace"))
        case datetime():
            return value.isoformat()
        case Mapping():
            return {redact_all(name): _told(name, inner) for name, inner in value.items()}
        case list() | tuple():
            return [redact_all(inner) for inner in value]
        case _:
            return redact(repr(value))


def _told(name: object, value: Any) -> Any:
    is_secret = isinstance(name, str) and _SECRET_NAME.fullmatch(name) and isinstance(value, str | bytes)
    return HIDDEN if is_secret else redact_all(value)
