"""What the sandbox as a whole gets wrong, set with `POST /sandbox/faults` (JSON) and read with `GET`.

    {"services": NAME | null}                                       a bent list (`CATALOGUES`), until it is null
    {"next": {"action": "add", "fault": "drops", "times": 3}}       an order's behaviour (`behaviours.BEHAVIOURS`)
    {"next": {"action": "cancel", "fault": "reset"}}                how any other action's answer travels (`Wire`)
    {"next": {"action": "cancel", "fault": "lost_reset"}}           the same, and nothing is done
    {"next": null}                                                  forget them

A key that is absent changes nothing. Nothing here survives a restart.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from panelry.connectors.sandbox.behaviours import BEHAVIOURS, Behaviour, Wire

Rows = list[dict[str, Any]]
MOST_TIMES: Final = 100_000

CATALOGUES: Final[Mapping[str, Callable[[Rows], Any]]] = MappingProxyType(
    {
        # Every second row and one fewer: more than half of the list is gone.
        "half": lambda rows: rows[1:-1:2],
        "price_x1000": lambda rows: [row | {"rate": str(Decimal(row["rate"]) * 1000)} for row in rows],
        "dearer": lambda rows: [row | {"rate": str(Decimal(row["rate"]) * 11 / 10)} for row in rows],
        "one_gone": lambda rows: rows[1:],
        "other_limits": lambda rows: [row | {"min": "20", "max": "500"} for row in rows],
        "min_above_max": lambda rows: [row | {"min": "500", "max": "20"} for row in rows],
        "error": lambda _: {"error": "Service list is not available"},
        "empty": lambda _: [],
        "wrong_types": lambda rows: [row | {"service": None, "rate": [], "min": {}} for row in rows],
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFault:
    """What goes wrong with one call: how its answer travels, and whether it is `lost`, so that nothing is done."""

    wire: Wire
    lost: bool


CALLS: Final[Mapping[str, CallFault]] = MappingProxyType(
    {wire.value: CallFault(wire=wire, lost=False) for wire in Wire}
    | {f"lost_{wire}": CallFault(wire=wire, lost=True) for wire in Wire}
)


class UnknownFault(Exception):
    """The control call names something that does not exist; the text says what."""


class Faults:
    """What is set at present."""

    def __init__(self) -> None:
        self._services: str | None = None
        self._next: defaultdict[str, deque[str]] = defaultdict(deque)

    def change(self, wishes: object, actions: frozenset[str]) -> None:
        """Do what a control call says; changes nothing and raises `UnknownFault` when a part is wrong."""
        match wishes:
            case dict() if wishes.keys() <= {"services", "next"}:
                pass
            case _:
                raise UnknownFault("an object with services and next")
        services = wishes.get("services", self._services)
        if services is not None and services not in CATALOGUES:
            raise UnknownFault(f"services: {services!r}")
        match wishes.get("next"):
            case None:
                if "next" in wishes:
                    self._next.clear()
            case {"action": str(action), "fault": str(fault), **rest} if rest.keys() <= {"times"}:
                times = rest.get("times", 1)
                known = action in actions and fault in (BEHAVIOURS if action == "add" else CALLS)
                if not known or not isinstance(times, int) or not 0 < times <= MOST_TIMES:
                    raise UnknownFault(f"next: {action!r}, {fault!r}, {times!r}")
                self._next[action].extend([fault] * times)
            case other:
                raise UnknownFault(f"next: {other!r}")
        self._services = services

    def shown(self) -> dict[str, Any]:
        """Return what is set, and the names there are."""
        return {
            "services": self._services,
            "next": {action: list(faults) for action, faults in self._next.items() if faults},
            "known": {"services": [*CATALOGUES], "behaviours": [*BEHAVIOURS], "calls": [*CALLS]},
        }

    def catalogue(self, rows: Rows) -> Any:
        """Return the list of services as it is to be answered."""
        return CATALOGUES[self._services](rows) if self._services else rows

    def next_behaviour(self) -> Behaviour | None:
        """Take what the next order is to do, if that was set."""
        name = self._take("add")
        return BEHAVIOURS[name] if name else None

    def next_call(self, action: str) -> CallFault | None:
        """Take what the next call of this action, not `add`, is to suffer, if that was set."""
        name = self._take(action)
        return CALLS[name] if name else None

    def _take(self, action: str) -> str | None:
        faults = self._next.get(action)
        return faults.popleft() if faults else None
