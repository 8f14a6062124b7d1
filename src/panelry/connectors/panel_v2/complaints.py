"""What an answer, or a row of one, says went wrong; no answer makes one of these raise."""

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

_FAILED: Final = frozenset({"error", "fail", "failed", "failure", "false"})
WORDLESS: Final = "status: error"
"""The text of an answer that did not go well and says no more."""
_MOST_VALUES: Final = 100


def text(answer: Any) -> str | None:
    """Return what an answer, or a row of one, says went wrong; `None` where it does not say so."""
    if isinstance(answer, str):
        return answer.strip() or None
    if not isinstance(answer, dict):
        return None
    if said := error(answer):
        return said
    if failed(answer.get("status")) or failed(answer.get("success")):
        return message(answer) or WORDLESS
    return None


def error(answer: dict[str, Any]) -> str:
    """Return what stands under `error`; empty where nothing does. A switch or a code that is on leads to the message."""
    for name in ("error", "errors"):
        if (value := answer.get(name)) and (said := _said(value)):
            return said if said != "true" else message(answer) or "error"
    return ""


def message(answer: dict[str, Any]) -> str:
    """Return what stands under `message`; empty where nothing does."""
    return next((found for name in ("message", "msg") if (found := "; ".join(_texts(answer.get(name))))), "")


def failed(value: Any) -> bool:
    """Tell whether a `status` or `success` says that it did not go well."""
    return value is False or (isinstance(value, str) and value.strip().lower() in _FAILED)


def _said(value: Any) -> str:
    if isinstance(value, bool | int | Decimal):
        return "true" if value else ""
    return "; ".join(_texts(value))


def _texts(value: Any) -> Iterator[str]:
    waiting = deque([value])
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        match waiting.popleft():
            case str() as found if found.strip():
                yield found.strip()
            case list() as several:
                waiting.extend(several)
            case dict() as named:
                waiting.extend(named.values())
