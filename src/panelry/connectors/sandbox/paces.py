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
    REFUNDED = auto()
    PAUSED = auto()
    EXPIRED = auto()


ENDED_EARLY: Final = frozenset({Word.PARTIAL, Word.CANCELLED, Word.REFUNDED, Word.EXPIRED})
FINISHED: Final = ENDED_EARLY | {Word.COMPLETED}


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
DROP_SECONDS: Final = 5.0
DROPS_AFTER: Final = INSTANT_END + DROP_SECONDS
CORRECTED_AFTER: Final = PARTIAL_SECONDS + 5.0
BACKWARDS_AFTER: Final = INSTANT_END + 30.0
POSTS_SECONDS: Final = INSTANT_END
PAUSE_SECONDS: Final = 5.0


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


def corrected_up(units: int, seconds: float) -> Progress:
    """End like `partial`, and say five seconds later that only 20 % were delivered."""
    return _at(Word.PARTIAL, units, units // 5) if seconds >= CORRECTED_AFTER else partial(units, seconds)


def corrected_down(units: int, seconds: float) -> Progress:
    """End like `partial`, and say five seconds later that 60 % were delivered."""
    return _at(Word.PARTIAL, units, units * 3 // 5) if seconds >= CORRECTED_AFTER else partial(units, seconds)


def cancelled(units: int, seconds: float) -> Progress:
    """Wait for two seconds, then cancel with nothing delivered."""
    return _at(Word.PENDING if seconds < CANCELLED_AFTER else Word.CANCELLED, units, 0)


def fails(units: int, seconds: float) -> Progress:
    """Wait for two seconds, then give the money back with nothing delivered."""
    return _at(Word.PENDING if seconds < CANCELLED_AFTER else Word.REFUNDED, units, 0)


def drops(units: int, seconds: float) -> Progress:
    """Complete, and lose 20 %, rounded down, five seconds later; a refill brings it back (see `orders`)."""
    if seconds < DROPS_AFTER:
        return instant(units, seconds)
    return Progress(word=Word.COMPLETED, delivered=units, remains=units // 5)


def restored(units: int, seconds: float) -> Progress:  # noqa: ARG001 (a pace has this shape)
    """Be complete for ever: what a refill makes of a drop, in seconds since it was done."""
    return _at(Word.COMPLETED, units, units)


def drops_again(units: int, seconds: float) -> Progress:
    """Lose 20 % again five seconds after a refill was done."""
    return Progress(
        word=Word.COMPLETED, delivered=units, remains=units // 5 if seconds >= DROP_SECONDS else 0
    )


def drops_to_partial(units: int, seconds: float) -> Progress:
    """Complete, lose 20 % five seconds later, and five seconds after that call it Partial."""
    late = seconds >= DROPS_AFTER + DROP_SECONDS
    return _at(Word.PARTIAL, units, units - units // 5) if late else drops(units, seconds)


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
    progress = _evenly(units, seconds / POSTS_SECONDS)
    return _at(Word.ACTIVE, units, progress.delivered) if progress.word is Word.IN_PROGRESS else progress


def pauses(units: int, seconds: float) -> Progress:
    """Pause for five seconds after half of the posts, then go on and complete."""
    if seconds < POSTS_SECONDS / 2:
        return subscription(units, seconds)
    waited = min(seconds - POSTS_SECONDS / 2, PAUSE_SECONDS)
    return (
        _at(Word.PAUSED, units, units // 2)
        if waited < PAUSE_SECONDS
        else subscription(units, seconds - waited)
    )


def stays_paused(units: int, seconds: float) -> Progress:
    """Pause after half of the posts, for ever."""
    return pauses(units, min(seconds, POSTS_SECONDS / 2))


def expires(units: int, seconds: float) -> Progress:
    """Expire after half of the posts."""
    return _half(Word.EXPIRED, units, seconds)


def ends_early(units: int, seconds: float) -> Progress:
    """Claim to be complete after half of the posts."""
    return _half(Word.COMPLETED, units, seconds)


def _half(end: Word, units: int, seconds: float) -> Progress:
    return subscription(units, seconds) if seconds < POSTS_SECONDS / 2 else _at(end, units, units // 2)


def _evenly(units: int, part: float) -> Progress:
    if part >= 1:
        return _at(Word.COMPLETED, units, units)
    return _at(Word.IN_PROGRESS, units, int(units * part))


def _at(word: Word, units: int, delivered: int) -> Progress:
    return Progress(word=word, delivered=delivered, remains=units - delivered)
