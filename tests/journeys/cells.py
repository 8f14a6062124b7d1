"""The fault matrix as a table: every fault that a provider can have, in each dialect, and how orders end that meet it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from panelry.connectors.sandbox.behaviours import Wire
from panelry.domain import money
from panelry.domain.money import Micros

TRIALS = 20
TRIALS_ALONE = 4


class End(NamedTuple):
    """What became of a trial: for its customer, for its provider, and for staff."""

    state: str
    kept: str
    bought: int = 1
    in_view: bool = False
    refill: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One fault in one dialect: how it is met, and the ends that a trial of it may come to.

    `fault` is chosen by the link. Of `calls`, an action and a fault, the next so many suffer. At `place` the provider
    is thought to be at first. `wish` is what the customer does as soon as that is possible. `alone`: each trial has a
    provider of its own, which has taken another order before. `twins`: two orders for each link.
    """

    name: str
    dialect: str
    ends: frozenset[End]
    fault: str = ""
    calls: tuple[str, str, int] | None = None
    place: str = ""
    wish: str = ""
    type: str = "Default"
    speed: float = 20
    alone: bool = False
    twins: bool = False

    def __str__(self) -> str:
        return f"{self.name}, {self.dialect}"


DONE = End("completed", "0.10")
PAID_BACK = End("refunded", "0.00", bought=0)
CANCELLED = End("cancelled", "0.00")
WAITS = End("pending", "0.10", bought=0)
UNDER_WAY = End("processing", "0.10")
LOST = UNDER_WAY._replace(in_view=True)
PARTLY = {End("partial", money.text(Micros(1000 * units))) for units in range(1, 100)}
REFILLED, NOT_REFILLED = (DONE._replace(refill=state) for state in ("completed", "rejected"))

# The provider takes it, and tells it well or badly.
TAKEN = {
    "instant": {DONE},
    "steady": {DONE},
    "disguised": {DONE},
    "partial": {End("partial", "0.04")},
    "corrected_up": {End("partial", "0.02")},
    "corrected_down": {End("partial", "0.04"), End("partial", "0.06")},
    "cancelled": {CANCELLED},
    "fails": {End("refunded", "0.00")},
    "drops_to_partial": {DONE, End("partial", "0.08")},
    "backwards": {DONE},
    "remains_too_large": {DONE},
    "remains_negative": {DONE},
    "remains_unknown": {DONE},
    "partial_remains_unknown": {UNDER_WAY},
    "cancelled_remains_zero": {CANCELLED},
    "cancelled_still_charged": {UNDER_WAY},
    "no_counts": {DONE},
    "wrong_status_types": {UNDER_WAY},
    "unknown_word": {UNDER_WAY},
    "drip_feed": {DONE},
    "absent": {UNDER_WAY},
    "other_id": {UNDER_WAY, DONE},  # ten times an id, which may be that of another trial
}
SUBSCRIBED = {
    "subscription": {End("completed", "0.01")},
    "pauses": {End("completed", "0.01")},
    "stays_paused": {End("in_progress", "0.01")},
    "expires": {End("partial", "0.005")},
    "ends_early": {End("partial", "0.005")},
}
TO_CANCEL = {
    "manual": {CANCELLED},
    "refuses_cancel": {DONE},
    "ignores_cancel": {DONE},
    "cancel_silent": {CANCELLED, *PARTLY},
    "cancel_reset": {CANCELLED, *PARTLY},
    "cancel_bad_gateway": {CANCELLED, *PARTLY},
}
TO_REFILL = {
    "drops": {REFILLED},
    "drops_again": {REFILLED},
    "refuses_refill": {NOT_REFILLED},
    "rejects_refill": {NOT_REFILLED},
    "refill_pending": {DONE._replace(refill="in_progress")},
    "refill_silent": {REFILLED},
    "refill_reset": {REFILLED},
    "refill_bad_gateway": {REFILLED},
    "refill_no_id": {REFILLED},
}
# Nothing is bought, and that is said for good.
REFUSED = {
    "refuses_link": {PAID_BACK},
    "refuses_quantity": {PAID_BACK},
    "refuses_extras": {PAID_BACK},
    "refuses_service": {PAID_BACK},
    "refuses_key": {WAITS},
    "out_of_funds": {WAITS},
}
# Bought, and the answer does not tell.
SWALLOWED = (
    "silent", "reset", "accepted_bad_gateway", "accepted_login_page", "truncated", "cut_short", "wrong_types", "no_id",
    "slow_drip", "huge",
)  # fmt: skip
# Not bought, and the answer does not tell; the next calls are answered well.
MUTE = ("bad_gateway", "lost_silent", "lost_reset", "login_page", "strange_error")
# Not bought for the time being, and that is said.
PASSING = {"too_many_requests": TRIALS, "refuses_key": 8, "out_of_funds": 8}
# Never read by anybody. Later the provider is found where it is.
UNREAD = ("refused", "black hole", "no name", "no TLS")
# A yes to a wish that was not done is a lie that nobody can see through.
LIES = ("lost_no_id",)


def cells() -> list[Cell]:
    """Return the whole matrix."""
    return [cell for dialect in ("classic", "panelry") for cell in _cells(dialect)]


def _cells(dialect: str) -> Iterator[Cell]:
    knows_us = dialect == "panelry"
    yield from _by_link(dialect, TAKEN)
    yield from _by_link(dialect, SUBSCRIBED, type="Subscriptions")
    yield from _by_link(dialect, TO_REFILL, wish="refill")
    yield from _by_link(dialect, TO_CANCEL, wish="cancel")
    yield from _by_link(dialect, REFUSED)
    yield from _by_link(dialect, dict.fromkeys(SWALLOWED, {DONE} if knows_us else {LOST}))
    yield from _by_link(dialect, {"busy_link": {DONE._replace(bought=2)}}, twins=True)
    never_bought = LOST._replace(bought=0)
    for fault in MUTE:
        ends = {DONE} if knows_us else {never_bought}
        yield _cell(dialect, f"{fault}, then well", ends, calls=("add", fault, TRIALS))
    for fault, times in PASSING.items():
        yield _cell(dialect, f"{fault}, then well", {DONE}, calls=("add", fault, times))
    for place in UNREAD:
        yield _cell(dialect, place, {DONE}, place=place)
    yield _cell(dialect, "redirect", {DONE} if knows_us else {never_bought}, place="redirect")
    if not knows_us:
        for fault in SWALLOWED:
            yield _cell(dialect, f"{fault}, alone", {DONE}, fault=fault, alone=True)
    for action, ends in (
        ("status", {DONE}),
        ("cancel", {CANCELLED}),
        ("refill", {REFILLED}),
        ("refill_status", {REFILLED}),
    ):
        yield from _by_call(dialect, action, ends)


def _by_link(dialect: str, ends: Mapping[str, Iterable[End]], **how: Any) -> Iterator[Cell]:
    for fault, allowed in ends.items():
        yield _cell(dialect, fault, allowed, fault=fault, speed=SPEEDS.get(fault, 20), **how)


# Slow enough that the panel asks in between.
SPEEDS = {"backwards": 1, "cancel_silent": 1, "cancel_reset": 1, "cancel_bad_gateway": 1}


def _by_call(dialect: str, action: str, ends: Iterable[End]) -> Iterator[Cell]:
    """Let calls suffer that come after an order was taken; what only asks can be lost in one way alone."""
    wish = {"cancel": "cancel", "refill": "refill", "refill_status": "refill"}.get(action, "")
    fault = {"cancel": "manual", "refill": "drops"}.get(wish, "")
    faults = [wire.value for wire in Wire if wire is not Wire.PLAIN]
    if action in {"cancel", "refill"}:
        faults += [f"lost_{wire}" for wire in Wire if f"lost_{wire}" not in LIES]
    times = 2 if action in {"cancel", "status"} else TRIALS
    for bent in faults:
        yield _cell(dialect, f"{action}: {bent}", ends, fault=fault, calls=(action, bent, times), wish=wish)


def _cell(dialect: str, name: str, ends: Iterable[End], **how: Any) -> Cell:
    return Cell(name=name, dialect=dialect, ends=frozenset(ends), **how)
