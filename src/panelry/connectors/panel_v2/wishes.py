"""What a provider says to a wish about an order that it took: a cancel or a refill. Pure functions of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from panelry.connectors.panel_v2 import complaints, errors, fields, rows, words
from panelry.domain.providers import (
    CancelAnswer,
    CancelAsked,
    CancelRefused,
    RefillAnswer,
    RefillOpen,
    RefillRefused,
    RefillTaken,
)

_YES: Final = frozenset({"true", "yes", "ok", "success", "successful", "accepted", "requested", "pending"})
_NO: Final = frozenset({"0", "false", "no"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Yes:
    """The wish is granted; `id` is what was made for it, where the provider says so."""

    id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _No:
    """The wish is not granted."""

    text: str


def cancels(said: Any, asked: Sequence[str]) -> dict[str, CancelAnswer] | None:
    """Read what was said to cancelling some orders; `None` where the answer is not about any of them."""
    found = rows.about(said, asked, "order")
    if found is None:
        return None
    answers = {upstream_id: _cancel(row) for upstream_id, row in found.items()}
    return {upstream_id: answer for upstream_id, answer in answers.items() if answer is not None}


def refill(said: Any, asked: str) -> RefillAnswer | None:
    """Read what was said to refilling one order; `None` where the answer is neither a yes nor a no to it."""
    match _verdict((rows.about(said, [asked], "order") or {}).get(asked), "refill"):
        case _Yes(id=upstream_id):
            return RefillTaken(upstream_id=upstream_id)
        case _No(text=text):
            is_open = errors.says(text, errors.REFILL_OPEN)
            return RefillOpen(text=text) if is_open else RefillRefused(text=text)
        case None:
            return None


def _cancel(row: Any) -> CancelAnswer | None:
    match _verdict(row, "cancel"):
        case _Yes():
            return CancelAsked()
        case _No(text=text):
            # As it was asked for already, the order's status is going to tell.
            asked = errors.says(text, errors.CANCEL_ASKED)
            return CancelAsked() if asked else CancelRefused(text=text)
        case None:
            return None


def _verdict(row: Any, name: str) -> _Yes | _No | None:
    if not isinstance(row, dict):
        return _judged(row, name)
    value = next((row[key] for key in (name, f"{name}_id") if row.get(key) is not None), None)
    no = complaints.text(row) or (complaints.text(value) if isinstance(value, dict) else None)
    if no:
        return _No(text=no)
    verdict = _judged(value, name)
    success = row.get("success")
    # What stands under "success" may be a sentence; one that says the contrary was a complaint above.
    granted = _is_yes(row.get("status")) or (_word(success) not in _NO | {""})
    return _Yes(id=None) if granted and not isinstance(verdict, _Yes) else verdict


def _judged(value: Any, name: str) -> _Yes | _No | None:
    word = _word(value)
    if word in _YES:
        return _Yes(id=None)
    if word in _NO:
        return _No(text=f"{name}: {word}")
    if upstream_id := fields.identifier(value):
        return _Yes(id=upstream_id)
    return _No(text=value.strip()) if isinstance(value, str) and word else None


def _is_yes(value: Any) -> bool:
    return _word(value) in _YES | {"1"}


def _word(value: Any) -> str:
    return words.plain(str(value) if isinstance(value, bool) else fields.written(value))
