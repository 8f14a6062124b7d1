"""What a provider's report changes in an order, and when to ask again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from panelry.domain.money import ZERO, Micros
from panelry.domain.orders.rules.pricing import clamp, refund_due
from panelry.domain.orders.rules.transitions import FINISHED, may_go
from panelry.domain.orders.values import Change, Order, OrderState
from panelry.domain.providers import Report, UpstreamState

_MEANS: Final[Mapping[UpstreamState, OrderState]] = {
    UpstreamState.PROCESSING: OrderState.PROCESSING,
    UpstreamState.IN_PROGRESS: OrderState.IN_PROGRESS,
    UpstreamState.COMPLETED: OrderState.COMPLETED,
    UpstreamState.PARTIAL: OrderState.PARTIAL,
    UpstreamState.CANCELLED: OrderState.CANCELLED,
    UpstreamState.REFUNDED: OrderState.REFUNDED,
}
_YOUNG: Final = timedelta(seconds=60)
_LONGEST: Final = timedelta(minutes=30)


def after_report(order: Order, report: Report) -> Change | None:
    """Return what a report changes, or `None` where it changes nothing or a person has to look first.

    "Pending" never moves a sent order back, a finished order never moves at all, an unknown word changes nothing,
    and a provider that goes backwards is not followed.
    """
    if report.state is None or order.state in FINISHED:
        return None
    to = _MEANS.get(report.state, order.state)
    if to is not order.state and not may_go(order.state, to):
        to = order.state
    remains = _remains_at(order, to, report)
    if remains is None:
        return None
    start_count = order.start_count if report.start_count is None else max(report.start_count, 0)
    change = Change(
        order=order,
        to=to,
        refund_micros=_refund(order, to, remains),
        start_count=start_count,
        remains=remains,
        facts={"word": report.word},
    )
    return change if _is_news(change) else None


def needs_a_person(order: Order, report: Report) -> str:
    """Say why a report cannot be applied without staff; empty where it can."""
    if order.state in FINISHED:
        return ""
    if report.state is None:
        return f"the provider's word {report.word!r} is not known"
    if _remains_at(order, _MEANS.get(report.state, order.state), report) is None:
        return f"{report.word!r} came without counts that say what was delivered"
    return ""


def next_check(age: timedelta) -> timedelta:
    """Return how long to wait before asking again: 1 s at first, 2 s in the first minute, then up to 30 min."""
    if age < timedelta(seconds=1):
        return timedelta(seconds=1)
    if age < _YOUNG:
        return timedelta(seconds=2)
    return min(age / 20, _LONGEST)


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
    if to not in {OrderState.PARTIAL, OrderState.CANCELLED, OrderState.REFUNDED}:
        return ZERO
    due = refund_due(charge=order.charge_micros, quantity=order.quantity, remains=remains)
    return Micros(max(due - order.refunded_micros, 0))


def _is_news(change: Change) -> bool:
    order = change.order
    counts = (change.start_count, change.remains)
    return change.to is not order.state or counts != (order.start_count, order.remains)
