"""Subscriptions: their provider tells how many posts are done; at the end the others are paid back.

The formula is that of money-and-lifecycle.md, 1: refund = charge x (1 - posts_done / posts), what is kept rounded up.
"""

from collections.abc import Mapping
from typing import Final

from panelry.domain.money import ZERO, Micros
from panelry.domain.orders.rules.pricing import refund_due
from panelry.domain.orders.rules.transitions import FINISHED, may_go
from panelry.domain.orders.values import Change, Order
from panelry.domain.orders.values import OrderState as S
from panelry.domain.providers import Report, UpstreamState

_UNDER_WAY: Final[Mapping[UpstreamState, S]] = {
    UpstreamState.PROCESSING: S.PROCESSING,
    UpstreamState.IN_PROGRESS: S.IN_PROGRESS,
    UpstreamState.PAUSED: S.IN_PROGRESS,
}


def after_report(order: Order, report: Report) -> Change | None:
    """Return what a report changes in a subscription; `None` where nothing. Posts that were done stay done."""
    assert report.state is not None
    is_end = report.state not in {*_UNDER_WAY, UpstreamState.PENDING}
    if order.state in FINISHED and not is_end:
        return None
    done = _done(order, report)
    remains = _remains(order, done)
    to = _end(order, report, remains) if is_end else _UNDER_WAY.get(report.state, order.state)
    if order.state in FINISHED or not (to is order.state or may_go(order.state, to)):
        to = order.state
    due = refund_due(charge=order.charge_micros, quantity=order.posts or 1, remains=_posts_left(order, done))
    change = Change(
        order=order,
        to=to,
        refund_micros=Micros(max(due - order.refunded_micros, 0)) if is_end else ZERO,
        start_count=order.start_count if report.start_count is None else max(report.start_count, 0),
        remains=remains,
        posts_done=done,
        facts={"word": report.word},
    )
    return change if (to, done) != (order.state, order.posts_done) or change.refund_micros else None


def _done(order: Order, report: Report) -> int:
    """Return how many posts are done. Completed without a number: as many as were ordered."""
    if report.posts_done is None and report.state is UpstreamState.COMPLETED and order.state not in FINISHED:
        return max(order.posts or 1, order.posts_done)
    return min(max(order.posts_done, report.posts_done or 0), 2**31 - 1)


def _posts_left(order: Order, done: int) -> int:
    """Return how many posts are owed; where their number was open, one, until one was done."""
    return max((order.posts or 1) - done, 0)


def _remains(order: Order, done: int) -> int:
    posts = order.posts or 1
    return order.quantity - order.quantity * min(done, posts) // posts


def _end(order: Order, report: Report, remains: int) -> S:
    if remains == 0:
        return S.COMPLETED
    if remains < order.quantity:
        return S.PARTIAL
    return S.REFUNDED if report.state is UpstreamState.REFUNDED else S.CANCELLED
