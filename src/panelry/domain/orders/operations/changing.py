"""How a set of changes to locked orders is stored: orders, money and timeline, together or not at all."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import events, ids, ledger
from panelry.domain.catalog import ServiceId
from panelry.domain.events import Event
from panelry.domain.ledger import Entry
from panelry.domain.money import Micros
from panelry.domain.orders.rules import FINISHED
from panelry.domain.orders.rules.transitions import may_go
from panelry.domain.orders.values import Change, Order, OrderId, OrderState

SQL = Statements(Path(__file__).parents[1] / "statements.sql")

_EVENT = {state: f"order.{state}" for state in OrderState} | {OrderState.REFUNDED: "order.failed"}


def apply(conn: Conn, changes: Sequence[Change], *, at: datetime) -> None:
    """Store changes to orders that this transaction holds locked.

    A refund is booked under a reference of the order and its event's number, so that no way of getting here twice
    can pay it twice.
    """
    if not changes:
        return
    _refund(conn, [change for change in changes if change.refund_micros > 0], at)
    timeline = [event for change in changes for event in _events(change, at)]
    moved = SQL["move_orders"](
        conn,
        account_ids=[c.order.account_id for c in changes],
        ids=[c.order.id for c in changes],
        from_sequences=[c.order.sequence for c in changes],
        sequences=[c.order.sequence + len(_steps(c)) for c in changes],
        states=[c.to for c in changes],
        refunds=[c.refund_micros for c in changes],
        start_counts=[c.start_count for c in changes],
        remains=[c.remains for c in changes],
        route_ids=[c.route[0] if c.route else None for c in changes],
        provider_ids=[c.route[1] if c.route else None for c in changes],
        due_ats=[c.due_at for c in changes],
        attempts=[c.attempt for c in changes],
        are_finished=[c.to in FINISHED for c in changes],
        at=at,
    )
    assert moved.rowcount == len(changes), "an order moved although it was locked"
    events.record(conn, timeline)


def order_from(row: Row) -> Order:
    """Read the first twelve columns of the statements that lock orders."""
    (
        id_,
        account_id,
        service_id,
        quantity,
        charge,
        refunded,
        state,
        sequence,
        start_count,
        remains,
        attempt,
        created,
    ) = row[:12]
    return Order(
        id=OrderId(id_),
        account_id=account_id,
        service_id=ServiceId(service_id),
        quantity=quantity,
        charge_micros=Micros(charge),
        refunded_micros=Micros(refunded),
        state=OrderState(state),
        sequence=sequence,
        start_count=start_count,
        remains=remains,
        attempt=attempt,
        created_at=created,
    )


def _steps(change: Change) -> list[str]:
    """Name the events that a change writes: one for a new state, one for money that went back."""
    steps = []
    if change.to is not change.order.state:
        assert may_go(change.order.state, change.to), f"{change.order.state} may not become {change.to}"
        steps.append(_EVENT[change.to])
    if change.refund_micros > 0:
        steps.append("order.refunded")
    return steps


def _events(change: Change, at: datetime) -> Iterable[Event]:
    order = change.order
    for number, type_ in enumerate(_steps(change), start=order.sequence + 1):
        yield Event(
            id=ids.new(),
            account_id=order.account_id,
            subject=order.id,
            sequence=number,
            type=type_,
            data={
                "from": order.state,
                "to": change.to,
                "start_count": change.start_count,
                "remains": change.remains,
                "refund_micros": change.refund_micros,
                **change.facts,
            },
            actor=change.actor,
            at=at,
        )


def _refund(conn: Conn, changes: Sequence[Change], at: datetime) -> None:
    before = ledger.lock(conn, {change.order.account_id for change in changes})
    after = dict(before)
    transfers = []
    for change in changes:
        order = change.order
        entry = Entry(
            posting=ids.new(),
            source=ledger.SALES,
            target=ledger.WALLET,
            amount_micros=change.refund_micros,
            reason=f"refund: {change.to}",
            actor=change.actor,
            order_id=order.id,
            reference=f"refund {ids.show(ids.ORDER, order.id)} {order.sequence + 1}",
        )
        after[order.account_id], transfer = ledger.post(after[order.account_id], entry, at=at)
        transfers.append(transfer)
    ledger.store(conn, before, after.values(), transfers)
