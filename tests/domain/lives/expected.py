"""What should become of orders: ten lines for each thing that can happen, and nothing of the program's own rules."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from typing import Final

from market import CODES, ITEMS, REFILL_DAYS, Item, Wish

from panelry.domain.orders import Attempt, OrderId
from panelry.domain.providers import (
    Accepted,
    NotSent,
    Outcome,
    Postponed,
    Rejected,
    Rejection,
    Report,
    UpstreamState,
)

ENDS: Final = frozenset({"completed", "partial", "cancelled", "refunded"})
PAID_BACK: Final = ENDS - {"completed"}
OURS: Final = {Rejection.KEY, Rejection.FUNDS}
IN_QUESTION: Final = {"unknown", "quarantined"}
LIVE: Final = {"sending", "accepted", *IN_QUESTION}
NOTHING: Final = {"Default": "InvalidQuantity", "Custom Comments": "MissingParameter"}
"""Why nothing of an item that is counted is not sold."""
WORDS: Final = {
    UpstreamState.PROCESSING: "processing",
    UpstreamState.IN_PROGRESS: "in_progress",
    UpstreamState.PAUSED: "in_progress",
    UpstreamState.COMPLETED: "completed",
    UpstreamState.PARTIAL: "partial",
    UpstreamState.EXPIRED: "partial",
    UpstreamState.CANCELLED: "cancelled",
    UpstreamState.REFUNDED: "refunded",
}


@dataclass(slots=True, eq=False, kw_only=True)
class Order:
    """What is known of one order, or of one run of a drip-feed. Amounts are micros.

    `runs` counts those that a drip-feed is to have, `made` holds those that there are; `due` is when the next one is.
    `bought` counts how often it stands in providers' logs, `may_be_bought` how often it may.
    """

    customer: int
    item: int
    quantity: int
    charge: int
    coupon: int = 0
    posts: int | None = None
    runs: int = 1
    interval: float = 0
    due: float | None = None
    parent: "Order | None" = None
    state: str = "pending"
    remains: int = -1
    refunded: int = 0
    posts_done: int = 0
    wants_cancel: bool = False
    ended_at: float | None = None
    stopped: bool = False
    made: "list[Order]" = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    bought: int = 0
    may_be_bought: int = 1

    def __post_init__(self) -> None:
        self.remains = self.quantity

    @property
    def sold(self) -> Item:
        return ITEMS[self.item]

    @property
    def is_over(self) -> bool:
        return self.state in ENDS

    @property
    def has_delivered(self) -> bool:
        """Tell whether it ended with something to refill."""
        return self.state == "completed" or (self.state == "partial" and self.remains < self.quantity)

    @property
    def back(self) -> int:
        """Return how much of the coupon's money is the coupon's again: its part of all that was refunded."""
        return floor(Fraction(self.refunded * self.coupon, self.charge))

    @property
    def cost(self) -> int:
        """Return what the customer pays for it now."""
        return self.charge - self.coupon - self.refunded + self.back

    def end(self, state: str, now: float, *, remains: int, kept: int | None = None) -> None:
        """End with so much undelivered; what is kept is rounded up, and no refund is ever taken back."""
        delivered = Fraction(self.quantity - remains, self.quantity)
        kept = ceil(self.charge * delivered) if kept is None else kept
        if self.ended_at is None:
            self.state, self.ended_at = state, now
        self.remains = remains
        if self.state in PAID_BACK:
            self.refunded = max(self.refunded, self.charge - kept)

    def wait(self, now: float) -> None:
        """Go back to waiting, or end, if that is what the customer waits for."""
        self.state = "pending"
        if self.wants_cancel:
            self.end("cancelled", now, remains=self.quantity)

    def hear(self, report: Report, now: float) -> None:
        """Be told by the provider how it is doing."""
        word = WORDS.get(report.state) if report.state else None
        if report.state is None or (self.is_over and not self._is_corrected_by(word)):
            return
        if self.sold.type == "Subscriptions":
            self._hear_posts(report, word, now)
            return
        left = self._left(report, word)
        if left is None or (self.state in PAID_BACK and left < self.remains):
            return
        if word in ENDS:
            self.end(word, now, remains=left)
        else:
            self.remains = left
            if word == "in_progress":
                self.state = word

    def _is_corrected_by(self, word: str | None) -> bool:
        if self.sold.type == "Subscriptions":
            return word in ENDS
        return word == self.state or (word in PAID_BACK and self.state in PAID_BACK)

    def _left(self, report: Report, word: str | None) -> int | None:
        """Return what is left to deliver; `None` where the money depends on it and nobody can tell."""
        count = None if report.remains is None else min(max(report.remains, 0), self.quantity)
        match word:
            case "refunded":
                return self.quantity
            case "partial":
                return count
            case "completed":
                return count or 0
            case "cancelled" if not count:
                is_odd = bool(report.charge) or (report.remains or 0) < 0
                return None if is_odd else self.quantity
            case _:
                return self.remains if count is None else count

    def _hear_posts(self, report: Report, word: str | None, now: float) -> None:
        posts = self.posts or 1
        if word == "completed" and report.posts_done is None and not self.is_over:
            self.posts_done = max(self.posts_done, posts)
        self.posts_done = max(self.posts_done, report.posts_done or 0)
        share = Fraction(min(self.posts_done, posts), posts)
        self.remains = self.quantity - floor(self.quantity * share)
        if word in ENDS:
            none = "refunded" if word == "refunded" else "cancelled"
            end = "completed" if self.remains == 0 else "partial" if self.remains < self.quantity else none
            self.end(end, now, remains=self.remains, kept=ceil(self.charge * share))
        elif word == "in_progress":
            self.state = word

    def add_up(self, now: float) -> None:
        """Be the sum of one's runs; what is never made is paid back when the drip-feed is stopped."""
        left = self.runs - len(self.made)
        never = left * self.charge // self.runs if self.stopped else 0
        self.refunded = max(self.refunded, never + sum(run.refunded for run in self.made))
        self.remains = left * self.quantity // self.runs + sum(run.remains for run in self.made)
        states = {run.state for run in self.made}
        if self.is_over or not (states <= ENDS and (self.stopped or left == 0)):
            return
        all_refunded = left == 0 and states == {"refunded"}
        none = "refunded" if all_refunded else "cancelled"
        self.state = "partial" if self.remains < self.quantity else none
        if left == 0 and states == {"completed"}:
            self.state = "completed"
        self.ended_at = now

    def may_stand_as(self, state: str) -> bool:
        """Tell whether a drip-feed under way may be in this state, by its runs."""
        states = {run.state for run in self.made}
        match state:
            case "pending":
                return not states & {"processing", "in_progress"}
            case "processing":
                return "processing" in states and "in_progress" not in states
            case _:
                return state == "in_progress" and bool(states & {"in_progress", *ENDS})


Answer = tuple[int, Outcome]
"""What one of the calls of a submission was answered: the first is 0."""


@dataclass(slots=True, eq=False)
class Try:
    """One submission. `calls` holds what each call was answered, whether we were told or not.

    `upstream_id` is what we think it is called at the provider, `id` what it is called in the provider's log.
    """

    attempt: Attempt
    order: Order
    seller: int
    until: float
    state: str = "sending"
    upstream_id: str = ""
    id: str = ""
    unknown_since: float | None = None
    calls: list[Outcome] = field(default_factory=list)

    def doubt(self, now: float) -> None:
        """Become unknown, unless it is already."""
        if self.state == "sending":
            self.state, self.unknown_since = "unknown", now


@dataclass(slots=True)
class Expected:
    """All that is known: what came in, what was ordered, what was sent, by which routes nothing is bought any more."""

    now: float = 0.0
    deposits: list[dict[str, int]] = field(default_factory=list)
    orders: dict[OrderId, Order] = field(default_factory=dict)
    requests: dict[tuple[int, int], tuple[OrderId, Wish]] = field(default_factory=dict)
    uses: list[tuple[int, int]] = field(default_factory=list)
    tries: list[Try] = field(default_factory=list)
    closed: set[tuple[int, int]] = field(default_factory=set)

    def balance(self, customer: int) -> int:
        """Return deposits less what the customer's orders cost now; runs are part of their drip-feeds."""
        mine = (o for o in self.orders.values() if o.customer == customer and o.parent is None)
        return sum(self.deposits[customer].values()) - sum(order.cost for order in mine)

    def sellers(self, item: int) -> list[int]:
        """Return by whom an item is sold now."""
        return [seller for seller in ITEMS[item].sellers if (item, seller) not in self.closed]

    # Placing

    def judge(self, wish: Wish) -> Order | str:
        """Return the order that a new wish makes, or why it is refused."""
        item = ITEMS[wish.item]
        if not self.sellers(wish.item):
            return "ServiceNotFound"
        quantity = wish.size if item.type in NOTHING else item.minimum
        if not quantity:
            return NOTHING[item.type]
        if not item.minimum <= quantity <= item.maximum:
            return "QuantityOutOfRange"
        if wish.runs > 1 and not item.has_runs:
            return "DripFeedUnavailable"
        charge = wish.runs * ceil(Fraction(item.rate * quantity, item.per))
        coupon = self._discount(wish, charge)
        if coupon is None:
            return "InvalidCoupon"
        if charge - coupon > self.balance(wish.customer):
            return "InsufficientBalance"
        posts = wish.size or None if item.type == "Subscriptions" else None
        due = self.now if wish.runs > 1 else None
        return Order(
            customer=wish.customer,
            item=wish.item,
            quantity=wish.runs * quantity,
            charge=charge,
            coupon=coupon,
            posts=posts,
            runs=wish.runs,
            interval=wish.interval * 60,
            due=due,
        )

    def _discount(self, wish: Wish, charge: int) -> int | None:
        """Return what the coupon gives, 0 without one; `None` where it may not be used."""
        if wish.code is None:
            return 0
        code = CODES[wish.code]
        mine = self.uses.count((wish.code, wish.customer))
        uses = sum(used == wish.code for used, _ in self.uses)
        off = floor(Fraction(charge) * Fraction(code.percent or 0) / 100) or min(code.fixed or 0, charge)
        is_good = (not code.items or wish.item in code.items) and charge >= code.minimum and off > 0
        is_left = (code.most is None or uses < code.most) and (
            code.most_each is None or mine < code.most_each
        )
        return off if is_good and is_left else None

    def place(self, wish: Wish, id_: OrderId, order: Order) -> None:
        """Keep an order that was placed."""
        self.orders[id_] = order
        self.requests[wish.customer, wish.request] = (id_, wish)
        if wish.code is not None:
            self.uses.append((wish.code, wish.customer))

    # Sending

    def hear(self, heard: Iterable[tuple[Try, Answer]]) -> int:
        """Be told what calls were answered, all in one set; return how many answers said something new."""
        counted, told, closed = 0, set[tuple[int, str]](), set[tuple[int, int]]()
        for tried, (call, outcome) in heard:
            if tried.state in {"sending", *IN_QUESTION} and tried.order.state == "processing":
                self._hear(tried, call, outcome, told)
                counted += 1
                if tried.state == "settled" and getattr(outcome, "reason", None) is Rejection.SERVICE:
                    closed.add((tried.order.item, tried.seller))
            else:
                counted += isinstance(outcome, Accepted) and outcome.upstream_id != tried.upstream_id
            if isinstance(outcome, Accepted):
                told.add((tried.seller, outcome.upstream_id))
        self.closed |= closed
        return counted

    def _hear(self, tried: Try, call: int, outcome: Outcome, told: set[tuple[int, str]]) -> None:
        """Believe a yes to any call, a no to the last one, and that nothing was bought only where there was just one."""
        order, is_only, is_last = tried.order, len(tried.calls) == 1, call == len(tried.calls) - 1
        ours = told | {(t.seller, t.upstream_id) for t in self.tries}
        match outcome:
            case Accepted(upstream_id=found) if (tried.seller, found) not in ours:
                tried.state, tried.upstream_id = "accepted", found
            case Rejected(reason=reason) if is_only or (is_last and reason is not Rejection.KEY):
                tried.state = "settled"
                self._refuse(order, tried.seller, reason)
            case Postponed() | NotSent() if is_only:
                tried.state = "settled"
                order.wait(self.now)
            case _:
                tried.doubt(self.now)

    def _refuse(self, order: Order, seller: int, reason: Rejection) -> None:
        """Go on to another seller, or wait for this one where the fault is ours; else pay all back."""
        still_sold = self.sellers(order.item)
        others = set(still_sold) - order.refused - {seller}
        may_wait_here = reason in OURS and seller in still_sold
        if reason not in OURS:
            order.refused.add(seller)
        if reason is Rejection.LINK or not (others or may_wait_here):
            order.end("refunded", self.now, remains=order.quantity)
        else:
            order.wait(self.now)

    # Cancelling and refilling

    def cancel(self, order: Order) -> str:
        """Do what a wish to cancel does; return why not, where it does nothing."""
        if order.wants_cancel:
            return ""
        parts = [run for run in order.made if not run.is_over] if order.runs > 1 else [order]
        is_unmade = order.runs > len(order.made) and order.runs > 1 and not order.stopped
        waiting = [part for part in parts if part.state == "pending"]
        asked = [p for p in parts if p.state in {"processing", "in_progress"} and p.sold.has_cancel]
        if order.is_over or not (waiting or asked or is_unmade):
            return "CannotBeCancelled"
        order.wants_cancel, order.stopped, order.due = True, order.runs > 1, None
        for part in waiting:
            part.end("cancelled", self.now, remains=part.quantity)
        for part in parts:
            part.wants_cancel = part in waiting or part in asked
        return ""

    def why_no_refill(self, order: Order | None, others: list[str]) -> str:
        """Return why an order is not refilled; `others` are the states of its refills so far."""
        if order is None:
            return "OrderNotFound"
        is_bought = any(t.order is order and t.upstream_id for t in self.tries)
        if order.runs > 1 or order.sold.type == "Subscriptions" or not (is_bought and order.has_delivered):
            return "OrderNotEligible"
        if order.sold.refills == 0:
            return "RefillUnavailable"
        if order.ended_at is None or self.now > order.ended_at + REFILL_DAYS * 86_400:
            return "RefillPeriodExpired"
        if len([state for state in others if state != "rejected"]) >= order.sold.refills:
            return "RefillLimitReached"
        return "RefillAlreadyPending" if {"pending", "in_progress"} & set(others) else ""
