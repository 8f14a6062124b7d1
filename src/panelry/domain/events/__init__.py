"""Events: the timeline of every order, written in the transaction that changes it."""

from panelry.domain.events.operations import record
from panelry.domain.events.queries import timeline
from panelry.domain.events.values import Event

__all__ = ["Event", "record", "timeline"]
