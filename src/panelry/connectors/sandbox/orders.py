"""An accepted order, its refills, and where they stand as a pure function of the time since they were accepted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from panelry.connectors.sandbox.behaviours import Behaviour
from panelry.connectors.sandbox.catalog import Service
from panelry.connectors.sandbox.drafts import Draft
from panelry.connectors.sandbox.paces import FINISHED, Progress, Word
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
    nothing was delivered, else Partial. A refill that is done brings back what a completed order has lost.
    """
    pace, units = order.behaviour.pace, order.draft.units
    seconds = pulse.since(order.at)
    if cancel_at is not None and pulse.since(cancel_at) >= CANCEL_SECONDS:
        stopped = pace(units, seconds - pulse.since(cancel_at) + CANCEL_SECONDS)
        if stopped.word not in FINISHED:
            word = Word.PARTIAL if stopped.delivered else Word.CANCELLED
            return Progress(word=word, delivered=stopped.delivered, remains=units - stopped.delivered)
    current = pace(units, seconds)
    if current.word is Word.COMPLETED and any(is_done(refill, pulse) for refill in refills):
        return Progress(word=Word.COMPLETED, delivered=units, remains=0)
    return current


def is_done(refill: Refill, pulse: Pulse) -> bool:
    """Say whether a refill has been delivered: five seconds after it was asked for."""
    return pulse.since(refill.at) >= REFILL_SECONDS


def charge_micros(order: Order, current: Progress) -> Micros:
    """Return what an order costs now: an order that ended early costs only what was delivered, rounded up."""
    charge = order.service.charge_micros(order.draft.units)
    if current.word in {Word.PARTIAL, Word.CANCELLED}:
        return Micros(ceil_div(charge * current.delivered, order.draft.units))
    return charge
