"""What a provider's report changes in an order."""

from collections.abc import Mapping
from typing import Final

from panelry.domain.money import ZERO, Micros
from panelry.domain.orders.rules import subscriptions
from panelry.domain.orders.rules.pricing import clamp, refund_due
from panelry.domain.orders.rules.transitions import FINISHED, may_go
from panelry.domain.orders.values import SUBSCRIPTIONS, Change, Order, OrderState
from panelry.domain.providers import Report, UpstreamState

MEANS: Final[Mapping[UpstreamState, OrderState]] = {
    UpstreamState.PROCESSING: OrderState.PROCESSING,
    UpstreamState.IN_PROGRESS: OrderState.IN_PROGRESS,
    UpstreamState.PAUSED: OrderState.IN_PROGRESS,
    UpstreamState.COMPLETED: OrderState.COMPLETED,
    UpstreamState.PARTIAL: OrderState.PARTIAL,
    UpstreamState.EXPIRED: OrderState.PARTIAL,
    UpstreamState.CANCELLED: OrderState.CANCELLED,
    UpstreamState.REFUNDED: OrderState.REFUNDED,
}
PAID_BACK: Final = frozenset({OrderState.PARTIAL, OrderState.CANCELLED, OrderState.REFUNDED})
"""The ends at which the undelivered part is refunded."""


def after_report(order: Order, report: Report) -> Change | None:
    """Return what a report changes, or `None` where it changes nothing or a person has to look first.

    "Pending" never moves a sent order back, an unknown word changes nothing, and a provider that goes backwards is not
    followed. A finished order stays in its state, but what its provider corrects still counts (see `_corrected`).
    """
    if report.state is None:
        return None
    if order.type == SUBSCRIPTIONS:
        return subscriptions.after_report(order, report)
    if order.state in FINISHED:
        return _corrected(order, report)
    to = MEANS.get(report.state, order.state)
    if to is not order.state and not may_go(order.state, to):
        to = order.state
    remains = _remains_at(order, to, report)
    is_new = to is not order.state or (_start(order, report), remains) != (order.start_count, order.remains)
    return _change(order, to, report, remains) if is_new and remains is not None else None


def needs_a_person(order: Order, report: Report) -> str:
    """Say why a report cannot be applied as it stands, or not at all; empty where it can."""
    if report.state is None:
        return f"the provider's word {report.word!r} is not known"
    if order.state in FINISHED:
        end = MEANS.get(report.state)
        is_same_end = end is order.state or {end, order.state} <= PAID_BACK
        return "" if is_same_end else f"the order is {order.state}, the provider now says {report.word!r}"
    to = MEANS.get(report.state, order.state)
    if order.type != SUBSCRIPTIONS and _remains_at(order, to, report) is None:
        return f"{report.word!r} came without counts that say what was delivered"
    return ""


def _corrected(order: Order, report: Report) -> Change | None:
    """Follow a provider that corrects the counts of a finished order.

    Where the undelivered part was paid back more may be, never less; a completed order only shows what it lost.
    """
    end = MEANS.get(report.state) if report.state else None
    is_same_end = end is order.state or {end, order.state} <= PAID_BACK
    remains = _remains_at(order, end, report) if end and is_same_end else None
    if remains is None or remains == order.remains:
        return None
    if order.state in PAID_BACK and remains < order.remains:
        return None
    return _change(order, order.state, report, remains)


def _change(order: Order, to: OrderState, report: Report, remains: int) -> Change:
    return Change(
        order=order,
        to=to,
        refund_micros=_refund(order, to, remains),
        start_count=_start(order, report),
        remains=remains,
        facts={"word": report.word},
    )


def _start(order: Order, report: Report) -> int:
    return order.start_count if report.start_count is None else max(report.start_count, 0)


def _remains_at(order: Order, to: OrderState, report: Report) -> int | None:
    """Return the remains to record in state `to`; `None` where the money depends on a count that is not there."""
    reported = None if report.remains is None else clamp(report.remains, order.quantity)
    match to:
        case OrderState.PARTIAL:
            return reported
        case OrderState.CANCELLED if not reported:
            is_odd = report.charge or (report.remains or 0) < 0
            return None if is_odd else order.quantity
        case OrderState.REFUNDED:
            return order.quantity
        case OrderState.COMPLETED:
            return reported or 0
        case _:
            return order.remains if reported is None else reported


def _refund(order: Order, to: OrderState, remains: int) -> Micros:
    """Return what is still to be posted: from totals, only the difference, never less than nothing."""
    if to not in PAID_BACK:
        return ZERO
    due = refund_due(charge=order.charge_micros, quantity=order.quantity, remains=remains)
    return Micros(max(due - order.refunded_micros, 0))
