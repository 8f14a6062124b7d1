"""How delivery goes as time passes: each pace is a pure function, so nothing needs a timer and a restart no memory.

A pace takes the units ordered and the seconds since acceptance, in sandbox time (real seconds times speed).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final


class Word(StrEnum):
    """The state of an order; the dialect has a spelling for each."""

    PENDING = auto()
    ACTIVE = auto()
    IN_PROGRESS = auto()
    COMPLETED = auto()
    PARTIAL = auto()
    CANCELLED = auto()


FINISHED: Final = frozenset({Word.COMPLETED, Word.PARTIAL, Word.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an order stands. `delivered` is what is charged for; `remains` also grows when units are lost again."""

    word: Word
    delivered: int
    remains: int


Pace = Callable[[int, float], Progress]

INSTANT_START, INSTANT_END = 0.2, 0.6
STEADY_SECONDS: Final = 60.0
PARTIAL_SECONDS: Final = 2.0
CANCELLED_AFTER: Final = 2.0
DROPS_AFTER: Final = INSTANT_END + 5.0
BACKWARDS_AFTER: Final = INSTANT_END + 2.0


def instant(units: int, seconds: float) -> Progress:
    """Complete within a second."""
    if seconds < INSTANT_START:
        return _at(Word.PENDING, units, 0)
    return _evenly(units, (seconds - INSTANT_START) / (INSTANT_END - INSTANT_START))


def steady(units: int, seconds: float) -> Progress:
    """Deliver evenly over a minute."""
    return _evenly(units, seconds / STEADY_SECONDS)


def partial(units: int, seconds: float) -> Progress:
    """Deliver 40 %, rounded down, within two seconds, then give up."""
    most = units * 2 // 5
    if seconds >= PARTIAL_SECONDS:
        return _at(Word.PARTIAL, units, most)
    return _at(Word.IN_PROGRESS, units, int(most * seconds / PARTIAL_SECONDS))


def cancelled(units: int, seconds: float) -> Progress:
    """Wait for two seconds, then cancel with nothing delivered."""
    return _at(Word.PENDING if seconds < CANCELLED_AFTER else Word.CANCELLED, units, 0)


def drops(units: int, seconds: float) -> Progress:
    """Complete, and lose 20 %, rounded down, five seconds later; a refill brings it back (see `orders`)."""
    if seconds < DROPS_AFTER:
        return instant(units, seconds)
    return Progress(word=Word.COMPLETED, delivered=units, remains=units // 5)


def manual(units: int, seconds: float) -> Progress:  # noqa: ARG001 (a pace has this shape)
    """Stay pending for ever."""
    return _at(Word.PENDING, units, 0)


def backwards(units: int, seconds: float) -> Progress:
    """Complete, then claim to be at the middle again, for ever."""
    if seconds < BACKWARDS_AFTER:
        return instant(units, seconds)
    return _at(Word.IN_PROGRESS, units, units // 2)


def subscription(units: int, seconds: float) -> Progress:
    """Be active while posts arrive, and complete within a second."""
    progress = _evenly(units, seconds / INSTANT_END)
    return _at(Word.ACTIVE, units, progress.delivered) if progress.word is Word.IN_PROGRESS else progress


def _evenly(units: int, part: float) -> Progress:
    if part >= 1:
        return _at(Word.COMPLETED, units, units)
    return _at(Word.IN_PROGRESS, units, int(units * part))


def _at(word: Word, units: int, delivered: int) -> Progress:
    return Progress(word=word, delivered=delivered, remains=units - delivered)
