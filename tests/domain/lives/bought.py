"""Providers with their logs: the orders that each has really taken, whatever it answered. The truth of the machine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from expected import Order
from hypothesis import strategies as st
from market import ITEMS

from panelry.domain.providers import (
    Accepted,
    Delay,
    NotSent,
    Outcome,
    Postponed,
    ProviderId,
    Rejected,
    Rejection,
    Report,
    RowError,
    Unknown,
    UpstreamState,
)

BY_HAND: Final = 9_000_000
"""What an order costs that staff bought in person, in micros."""
LOST: Final = Unknown(text="read time-out")
UNSENT: Final = NotSent(text="connection refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of one call: whether it buys, what is answered, and whether that reaches us `at_once` or later.

    `says` is what is answered instead of the order's id; `confused`: that id is another order's.
    """

    buys: bool
    says: Outcome | None = None
    at_once: bool = True
    confused: bool = False


def no(reason: Rejection) -> Rejected:
    return Rejected(reason=reason, text=f"no: {reason}")


def later(reason: Delay) -> Postponed:
    return Postponed(reason=reason, text=f"later: {reason}")


BOUGHT: Final = "bought"
FATES: Final[Mapping[str, Fate]] = {
    BOUGHT: Fate(buys=True),
    "bought, told later": Fate(buys=True, at_once=False),
    "bought, answer lost": Fate(buys=True, says=LOST),
    "bought, told as another": Fate(buys=True, confused=True),
    "call lost": Fate(buys=False, says=LOST),
    "call lost, not told": Fate(buys=False, says=LOST, at_once=False),
    "unsent": Fate(buys=False, says=UNSENT),
    "unsent, told later": Fate(buys=False, says=UNSENT, at_once=False),
    **{f"no: {reason}": Fate(buys=False, says=no(reason)) for reason in Rejection},
    **{f"no: {reason}, told later": Fate(buys=False, says=no(reason), at_once=False) for reason in Rejection},
    **{f"later: {reason}": Fate(buys=False, says=later(reason)) for reason in Delay},
    "later: rate, told later": Fate(buys=False, says=later(Delay.RATE), at_once=False),
}
MOSTLY: Final = (BOUGHT, BOUGHT, BOUGHT, "bought, answer lost", "bought, told later")
FATE: Final = st.sampled_from([*MOSTLY * 2, *FATES])
FATE_AGAIN: Final = st.sampled_from(
    [
        *MOSTLY,
        "bought, told later",
        "unsent",
        "call lost",
        "later: rate",
        "no: key",
        "no: funds",
        "no: quantity",
    ]
)
"""What becomes of repeated calls."""


@dataclass(slots=True)
class Seller:
    """One provider. `recognises` our request ids; `tells_all` of everybody's orders to everybody."""

    id: ProviderId
    recognises: bool
    tells_all: bool
    last: int = 1000
    log: dict[str, Order] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    by_hand: set[int] = field(default_factory=set)

    def call(self, order: Order, request_id: str, fate: Fate, told: Sequence[str]) -> tuple[str, Outcome]:
        """Be called once; return the id under which the order stands in the log now, if it does, and the answer.

        `told` are ids that we know: only they can be taken for another order's.
        """
        known = self.requests.get(request_id, "") if self.recognises else ""
        bought = known or (self._take(order, request_id) if fate.buys else "")
        if known and isinstance(fate.says, Rejected) and fate.says.reason is not Rejection.KEY:
            return bought, Accepted(
                upstream_id=known
            )  # it looks whether it knows us before it looks at the order
        if fate.says is not None:
            return bought, fate.says
        return bought, Accepted(upstream_id=told[-1] if fate.confused and told else bought)

    def sell_to_others(self) -> None:
        """Take an order of somebody else, who wants the same as we: its id lies between ours."""
        self.last += 1

    def sell_by_hand(self) -> None:
        """Take an order that staff of ours bought in person, for more than any order of the panel costs."""
        self.last += 1
        self.by_hand.add(self.last)

    def status(self, upstream_ids: Iterable[str]) -> dict[str, Report | RowError]:
        """Tell honestly how orders are doing that were asked for: ours, and maybe others'."""
        return {id_: self._report(id_) for id_ in upstream_ids}

    def _take(self, order: Order, request_id: str) -> str:
        self.last += 1
        order.bought += 1
        self.log[str(self.last)] = order
        self.requests[request_id] = str(self.last)
        return str(self.last)

    def _report(self, upstream_id: str) -> Report | RowError:
        is_told = upstream_id in self.log or int(upstream_id) in self.by_hand or self.tells_all
        if not is_told or not 0 < int(upstream_id) <= self.last:
            return RowError(text="Incorrect order ID")
        order = self.log.get(upstream_id, next(reversed(self.log.values()), None))
        micros = BY_HAND if order is None or int(upstream_id) in self.by_hand else cost(order)
        charge = Decimal(micros) / 10**6
        return Report(state=UpstreamState.IN_PROGRESS, word="In progress", remains=0, charge=charge)


def cost(order: Order) -> int:
    """Return what an order costs us: we sell at cost."""
    item = ITEMS[order.item]
    return -(-item.rate * order.quantity // item.per)
