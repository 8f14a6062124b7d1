"""What goes back to a reseller's program: status, JSON and headers; the texts of refusals are the contract's."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from panelry.contract import FAULTS, TEXTS, BodyTooSlow, MethodNotAllowed
from panelry.domain.refusals import Refusal

_encode: Final = msgspec.json.Encoder().encode


_HEADERS: Final[Mapping[type[Refusal], tuple[tuple[bytes, bytes], ...]]] = {
    MethodNotAllowed: ((b"allow", b"POST"),),
    BodyTooSlow: ((b"connection", b"close"),),
}


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What goes back: a status, a JSON body, extra headers."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


def success(value: Any, *headers: tuple[bytes, bytes]) -> Answer:
    """Answer 200 with a value as JSON."""
    return Answer(body=_encode(value), headers=headers)


def refusal(refused: Refusal) -> Answer:
    """Answer a no with its own status and text."""
    status, _ = TEXTS[type(refused)]
    return Answer(body=error(words(refused)), status=status, headers=_HEADERS.get(type(refused), ()))


def words(refused: Refusal) -> str:
    """Put a no into its words."""
    return TEXTS[type(refused)][1].format(**refused.details)


def error(text: str) -> bytes:
    """Write an error as the API does: `{"error": text}` and nothing else."""
    return _encode({"error": text})


UNAVAILABLE: Final = Answer(body=error(FAULTS[503]), status=503, headers=((b"retry-after", b"2"),))
INTERNAL_ERROR: Final = Answer(body=error(FAULTS[500]), status=500)
