"""What a customer's wish to cancel does to an order (api-v2.md, 4 cancel)."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from panelry.domain.money import ZERO
from panelry.domain.orders.rules.answers import given_up
from panelry.domain.orders.rules.transitions import FINISHED
from panelry.domain.orders.values import CannotBeCancelled, Change, Order, OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An order that somebody wants cancelled. `parts` are what can be sent of it: itself, or a drip-feed's open runs.

    `makes_runs`: it is a drip-feed with runs still to be made. `may_be_asked`: its service has cancel.
    """

    order: Order
    parts: Sequence[Order]
    makes_runs: bool
    may_be_asked: bool
    actor: str


def after_wish(wish: Wish) -> list[Change]:
    """Return the changes, none where it was asked before. Raises `CannotBeCancelled`.

    What was not sent ends at once; what was is only marked: its provider decides.
    """
    order = wish.order
    if order.cancel_requested:
        return []
    if order.state in FINISHED:
        raise CannotBeCancelled
    stopped = [_stopped(part, wish) for part in wish.parts if part.state is OrderState.PENDING]
    sent = [
        part for part in wish.parts if part.state not in FINISHED and part.state is not OrderState.PENDING
    ]
    marked = [_marked(part, wish) for part in sent if wish.may_be_asked and not part.cancel_requested]
    if not (stopped or marked or wish.makes_runs):
        raise CannotBeCancelled
    is_drip_feed = order not in wish.parts
    return [*stopped, *marked, *([_marked(order, wish)] if is_drip_feed else [])]


def _stopped(order: Order, wish: Wish) -> Change:
    change = given_up(order, OrderState.CANCELLED, facts={"reason": "cancel"}, actor=wish.actor)
    return structs.replace(change, cancel_requested=True)


def _marked(order: Order, wish: Wish) -> Change:
    return Change(
        order=order,
        to=order.state,
        refund_micros=ZERO,
        start_count=order.start_count,
        remains=order.remains,
        actor=wish.actor,
        news="cancel_requested",
        cancel_requested=True,
    )
