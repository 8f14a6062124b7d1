"""How the panel is, measured now: what the status page says, and nothing that nobody measured."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import structlog
from django.db import Error, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from panelry import clock
from panelry.database import health, presence
from panelry.database.pool import lent
from panelry.metrics import overdue
from panelry.schema.models import Provider
from panelry.web.words import counted

log = structlog.get_logger()

FRESH_SECONDS: Final = 10.0
ENGINE_LATE_SECONDS: Final = 15.0
ENGINE_GONE_SECONDS: Final = 120.0
LATE_SECONDS: Final = 120.0
STUCK_SECONDS: Final = 1_800.0
MOST_PROVIDERS: Final = 50
_ORDERS: Final = ("orders", "submissions")


class State(StrEnum):
    """How a part is; the worst of all is how the panel is."""

    WELL = "ok"
    SLOW = "held"
    DOWN = "failing"


_RANK: Final = {State.WELL: 0, State.SLOW: 1, State.DOWN: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was measured, and when. Providers are told apart by number, in the order in which they were added."""

    at: datetime
    processes: int
    engine_age: float | None
    overdue: dict[str, float]
    providers: tuple[State, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One line of the status page."""

    name: str
    state: State
    says: str
    is_paused: bool = False

    @property
    def word(self) -> str:
        """Name the state."""
        if self.is_paused:
            return _("Paused")
        return {State.WELL: _("Works"), State.SLOW: _("Slow"), State.DOWN: _("Fails")}[self.state]


_lock: Final = threading.Lock()
_kept: list[tuple[float, Reading]] = []


def reading() -> Reading | None:
    """Measure, at most every ten seconds however many ask; `None` where the database cannot be reached."""
    with _lock:
        if _kept and clock.monotonic() - _kept[0][0] < FRESH_SECONDS:
            return _kept[0][1]
        _kept.clear()
        try:
            measured = _measure()
        except Error as error:
            log.warning("status_not_read", error=repr(error))
            return None
        _kept.append((clock.monotonic(), measured))
        return measured


def forget() -> None:
    """Measure again the next time."""
    with _lock:
        _kept.clear()


def _measure() -> Reading:
    with transaction.atomic(), lent(connection) as conn:
        now = clock.now()
        return Reading(
            at=now,
            processes=presence.count(conn),
            engine_age=health.engine_age(conn),
            overdue=overdue(conn),
            providers=tuple(
                State.DOWN
                if broken_until and broken_until > now
                else State.WELL
                if state == "active"
                else State.SLOW
                for state, broken_until in Provider.objects.order_by("id").values_list(
                    "state", "broken_until"
                )[:MOST_PROVIDERS]
            ),
        )


def parts(measured: Reading | None) -> list[Part]:
    """Put a reading into words, a line for each part of the panel."""
    if measured is None:
        return [Part(name=_("Database"), state=State.DOWN, says=_("It cannot be reached."))]
    return [
        Part(name=_("Database"), state=State.WELL, says=_("Answers.")),
        _api(measured.processes),
        _engine(measured.engine_age),
        _queue(_("Orders"), max(measured.overdue.get(kind, 0.0) for kind in _ORDERS)),
        _queue(
            _("Refills and cancels"), max(measured.overdue.get(kind, 0.0) for kind in ("refills", "cancels"))
        ),
        _queue(_("Webhook deliveries"), measured.overdue.get("deliveries", 0.0)),
        _queue(_("Letters"), measured.overdue.get("letters", 0.0)),
    ]


def providers(measured: Reading | None) -> list[Part]:
    """Put the providers into words. Who they are is nobody's business but the operator's."""
    words = {
        State.WELL: _("Takes orders."),
        State.SLOW: _("Paused; orders go elsewhere or wait."),
        State.DOWN: _("Most calls fail; orders go around it."),
    }
    return [
        Part(
            name=_("Provider %(number)s") % {"number": number},
            state=state,
            says=words[state],
            is_paused=state is State.SLOW,
        )
        for number, state in enumerate(measured.providers if measured else (), start=1)
    ]


def worst(found: Sequence[Part]) -> State:
    """Return how the panel is as a whole: as the worst of its parts."""
    return max((part.state for part in found), key=_RANK.__getitem__, default=State.WELL)


def _api(processes: int) -> Part:
    if not processes:
        return Part(name=_("API"), state=State.DOWN, says=_("No process serves it."))
    says = ngettext("%(count)s process serves it.", "%(count)s processes serve it.", processes)
    return Part(name=_("API"), state=State.WELL, says=says % {"count": counted(processes)})


def _engine(age: float | None) -> Part:
    name = _("Engine")
    if age is None:
        return Part(name=name, state=State.DOWN, says=_("It has not been started yet."))
    if age > ENGINE_LATE_SECONDS:
        state = State.DOWN if age > ENGINE_GONE_SECONDS else State.SLOW
        return Part(name=name, state=state, says=_("Last seen %(time)s ago.") % {"time": _lasting(age)})
    return Part(name=name, state=State.WELL, says=_("At work."))


def _queue(name: str, seconds: float) -> Part:
    if seconds < LATE_SECONDS:
        return Part(name=name, state=State.WELL, says=_("Nothing waits longer than it should."))
    state = State.DOWN if seconds > STUCK_SECONDS else State.SLOW
    return Part(
        name=name, state=state, says=_("The oldest has waited %(time)s.") % {"time": _lasting(seconds)}
    )


def _lasting(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return ngettext("%(count)d second", "%(count)d seconds", int(seconds)) % {"count": int(seconds)}
    if minutes < 120:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    hours = minutes // 60
    return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
