"""An accepted order, its refills, and where they stand as a pure function of the time since they were accepted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto
from typing import Final

from panelry.connectors.sandbox.behaviours import Behaviour, Refilling
from panelry.connectors.sandbox.catalog import Service
from panelry.connectors.sandbox.drafts import Draft
from panelry.connectors.sandbox.paces import ENDED_EARLY, FINISHED, Progress, Word
from panelry.connectors.sandbox.service_types import Fields
from panelry.domain.money import Micros, ceil_div

CANCEL_SECONDS: Final = 1.0
REFILL_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was accepted. `sent` is the call as it was compared, `None` when it was read back from the log."""

    id: str
    service: Service
    behaviour: Behaviour
    draft: Draft
    request_id: str | None
    at: datetime
    sent: Fields | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refill:
    """A refill that was asked for."""

    id: str
    order: str
    at: datetime


class RefillWord(StrEnum):
    """The state of a refill; the dialect has a spelling for each."""

    PENDING = auto()
    IN_PROGRESS = auto()
    COMPLETED = auto()
    REJECTED = auto()


REFILL_ENDED: Final = frozenset({RefillWord.COMPLETED, RefillWord.REJECTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The time that states are read at: sandbox seconds run `speed` times as fast as the clock's."""

    now: datetime
    speed: float

    def since(self, then: datetime) -> float:
        """Return the sandbox seconds from `then` until now."""
        return max(0.0, (self.now - then).total_seconds() * self.speed)


def progress(
    order: Order, pulse: Pulse, *, cancel_at: datetime | None, refills: Iterable[Refill]
) -> Progress:
    """Return where an order stands.

    A cancel that was asked for takes effect a second later, unless the order has finished by then: Canceled where
    nothing was delivered, and subscriptions always, else Partial. A refill that is done brings back what a completed
    order has lost.
    """
    pace, units = order.behaviour.pace, order.draft.units
    seconds = pulse.since(order.at)
    if cancel_at is not None and order.behaviour.heeds_cancel and pulse.since(cancel_at) >= CANCEL_SECONDS:
        stopped = pace(units, seconds - pulse.since(cancel_at) + CANCEL_SECONDS)
        if stopped.word not in FINISHED:
            is_part = stopped.delivered and order.service.type != "Subscriptions"
            word = Word.PARTIAL if is_part else Word.CANCELLED
            return Progress(word=word, delivered=stopped.delivered, remains=units - stopped.delivered)
    current = pace(units, seconds)
    done = [refill.at for refill in refills if refill_word(order, refill, pulse) is RefillWord.COMPLETED]
    if current.word is Word.COMPLETED and done:
        return order.behaviour.refilled(units, pulse.since(max(done)) - REFILL_SECONDS)
    return current


def refill_word(order: Order, refill: Refill, pulse: Pulse) -> RefillWord:
    """Return where a refill stands: it ends five seconds after it was asked for, if it ends."""
    if order.behaviour.refilling is Refilling.PENDING:
        return RefillWord.PENDING
    if pulse.since(refill.at) < REFILL_SECONDS:
        return RefillWord.IN_PROGRESS
    return RefillWord.REJECTED if order.behaviour.refilling is Refilling.REJECTED else RefillWord.COMPLETED


def charge_micros(order: Order, current: Progress) -> Micros:
    """Return what an order costs now: an order that ended early costs only what was delivered, rounded up."""
    charge = order.service.charge_micros(order.draft.units)
    if current.word in ENDED_EARLY:
        return Micros(ceil_div(charge * current.delivered, order.draft.units))
    return charge
