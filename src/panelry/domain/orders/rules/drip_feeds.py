"""Drip-feeds: when the next run is made, and what all runs together mean for the order that asked for them."""

from panelry.domain.ledger import SALES
from panelry.domain.money import Micros
from panelry.domain.orders.rules.transitions import FINISHED
from panelry.domain.orders.values import Change, Order, Runs
from panelry.domain.orders.values import OrderState as S


def run_charge(charge: Micros, runs: int) -> Micros:
    """Return what one run costs of what all cost together."""
    assert charge % runs == 0, "a drip-feed costs so many times one run"
    return Micros(charge // runs)


def rolled_up(order: Order, runs: Runs, *, book: str = SALES) -> Change | None:
    """Return what the sums over its runs change in a drip-feed; `None` where nothing.

    Runs that are not made yet remain in full; once it is stopped they never will be, and are paid back. `book` is what
    the runs were paid back out of.
    """
    left = runs.runs - runs.made
    due = runs.refunded_micros + (left * run_charge(order.charge_micros, runs.runs) if runs.stopped else 0)
    remains = runs.remains + left * (order.quantity // runs.runs)
    change = Change(
        order=order,
        to=_state(order, runs, remains),
        refund_micros=Micros(max(due - order.refunded_micros, 0)),
        start_count=runs.start_count,
        remains=remains,
        facts={"runs": runs.runs, "runs_made": runs.made, "runs_done": _done(runs)},
        book=book,
    )
    is_news = change.to is not order.state or change.refund_micros
    return (
        change
        if is_news or (change.remains, change.start_count) != (order.remains, order.start_count)
        else None
    )


def _done(runs: Runs) -> int:
    return sum(count for state, count in runs.states.items() if state in FINISHED)


def _state(order: Order, runs: Runs, remains: int) -> S:
    if order.state in FINISHED:
        return order.state
    is_over = (runs.stopped or runs.made == runs.runs) and FINISHED.issuperset(runs.states)
    if is_over:
        return _end(order, runs, remains)
    if order.state is S.PENDING:
        return S.PROCESSING if S.PROCESSING in runs.states else S.PENDING
    if order.state is S.IN_PROGRESS or S.IN_PROGRESS in runs.states or not FINISHED.isdisjoint(runs.states):
        return S.IN_PROGRESS
    return S.PROCESSING if S.PROCESSING in runs.states else S.PENDING


def _end(order: Order, runs: Runs, remains: int) -> S:
    if runs.states.get(S.COMPLETED, 0) == runs.runs:
        return S.COMPLETED
    if remains < order.quantity:
        return S.PARTIAL
    return S.REFUNDED if runs.states.get(S.REFUNDED, 0) == runs.runs else S.CANCELLED
