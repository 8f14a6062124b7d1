"""How a set of changes to locked orders is stored: orders, money and timeline, together or not at all."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import ids, ledger, webhooks
from panelry.domain.accounts import AccountId
from panelry.domain.catalog import ServiceId
from panelry.domain.events import Event
from panelry.domain.ledger import Entry
from panelry.domain.money import Micros
from panelry.domain.orders.rules import FINISHED, rolled_up
from panelry.domain.orders.rules.timeline import back_to_coupon, kept, steps
from panelry.domain.orders.values import Change, Order, OrderId, OrderState, Runs

SQL = Statements(Path(__file__).parents[1] / "statements")
_STATES: Final = {str(state): state for state in OrderState}
COLUMNS: Final = 20
"""How many columns of a row are an order's."""

Key = tuple[AccountId, OrderId]


def apply(conn: Conn, changes: Sequence[Change], *, at: datetime, drip_feeds: Collection[Key] = ()) -> None:
    """Store changes to orders that this transaction holds locked, and what follows for drip-feeds they are runs of.

    `drip_feeds` are brought into line with their runs though none of these changes. A refund is booked under a
    reference of the order and its event's number, so that no way of getting here twice can pay it twice. Everybody
    locks in this order: runs and other orders, drip-feeds, wallets.
    """
    _move(conn, changes, at)
    books = dict.fromkeys(drip_feeds, ledger.SALES)
    books |= {(c.order.account_id, c.order.parent_id): c.book for c in changes if c.order.parent_id}
    sums = _added_up(conn, books)
    _move(conn, sums, at)
    _refund(conn, [change for change in (*changes, *sums) if _is_paid_back(change)], at)


def order_from(row: Row) -> Order:
    """Read the first columns of the statements that lock orders."""
    (
        id_, account_id, service_id, type_, quantity, charge, refunded, state, sequence, start_count, remains, attempt,
        created, finished, parent_id, posts, posts_done, coupon, coupon_back, cancel_requested,
    ) = row[:COLUMNS]  # fmt: skip
    return Order(
        id=OrderId(id_),
        account_id=account_id,
        service_id=ServiceId(service_id),
        type=type_,
        quantity=quantity,
        charge_micros=Micros(charge),
        refunded_micros=Micros(refunded),
        state=_STATES[state],
        sequence=sequence,
        start_count=start_count,
        remains=remains,
        attempt=attempt,
        created_at=created,
        finished_at=finished,
        parent_id=OrderId(parent_id) if parent_id else None,
        posts=posts,
        posts_done=posts_done,
        coupon_micros=Micros(coupon),
        coupon_back_micros=Micros(coupon_back),
        cancel_requested=cancel_requested,
    )


def _added_up(conn: Conn, books: Mapping[Key, str]) -> list[Change]:
    """Lock drip-feeds and return what their runs change in them; refunds come out of the book of their runs'."""
    if not books:
        return []
    key = {"account_ids": [a for a, _ in books], "ids": [o for _, o in books]}
    locked = [order_from(row) for row in SQL["lock_orders"](conn, **key)]
    together = {row[0]: _runs(row[1:]) for row in SQL["runs"](conn, **key)}
    changes = [
        rolled_up(order, together[order.id], book=books[order.account_id, order.id]) for order in locked
    ]
    return [change for change in changes if change]


def _move(conn: Conn, changes: Sequence[Change], at: datetime) -> None:
    if not changes:
        return
    timeline = [event for change in changes for event in _events(change, at)]
    with conn.pipeline():
        moved = SQL["move_orders"](
            conn,
            account_ids=[c.order.account_id for c in changes],
            ids=[c.order.id for c in changes],
            from_sequences=[c.order.sequence for c in changes],
            sequences=[c.order.sequence + len(steps(c)) for c in changes],
            states=[c.to for c in changes],
            refunds=[c.refund_micros for c in changes],
            coupon_backs=[back_to_coupon(c) for c in changes],
            start_counts=[c.start_count for c in changes],
            remains=[c.remains for c in changes],
            posts_dones=[c.posts_done for c in changes],
            cancels=[c.cancel_requested for c in changes],
            route_ids=[c.route[0] if c.route else None for c in changes],
            provider_ids=[c.route[1] if c.route else None for c in changes],
            due_ats=[c.due_at for c in changes],
            attempts=[c.attempt for c in changes],
            are_finished=[c.to in FINISHED for c in changes],
            at=at,
        )
        webhooks.tell(conn, timeline)
    assert moved.rowcount == len(changes), "an order moved although it was locked"
    over = [c.order for c in changes if c.order.cancel_requested and c.to in FINISHED]
    if over:
        SQL["end_cancels"](conn, account_ids=[o.account_id for o in over], ids=[o.id for o in over])


def _is_paid_back(change: Change) -> bool:
    """Tell whether money moves: of a drip-feed that of all its runs does, together."""
    return change.refund_micros > 0 and change.order.parent_id is None


def _events(change: Change, at: datetime) -> Iterable[Event]:
    order = change.order
    for number, type_ in enumerate(steps(change), start=order.sequence + 1):
        yield Event(
            id=ids.new(),
            account_id=order.account_id,
            subject=order.id,
            sequence=number,
            type=type_,
            data=kept(change),
            actor=change.actor,
            at=at,
        )


def _refund(conn: Conn, changes: Sequence[Change], at: datetime) -> None:
    """Book refunds: all of it comes from the house, and what a coupon had given goes back to the coupon's book."""
    before = ledger.lock(conn, {change.order.account_id for change in changes})
    after = dict(before)
    transfers = []
    for change in changes:
        posting, reason = ids.new(), f"refund: {change.to}"
        reference = f"refund {ids.show(ids.ORDER, change.order.id)} {change.order.sequence + 1}"
        moves = [(change.book, ledger.WALLET, change.refund_micros, reference)]
        if back := back_to_coupon(change):
            moves.append((ledger.WALLET, ledger.COUPON, back, f"{reference} coupon"))
        for source, target, amount, booked_as in moves:
            entry = Entry(
                posting=posting,
                source=source,
                target=target,
                amount_micros=amount,
                reason=reason,
                actor=change.actor,
                order_id=change.order.id,
                reference=booked_as,
            )
            wallet = after[change.order.account_id]
            after[change.order.account_id], transfer = ledger.post(wallet, entry, at=at)
            transfers.append(transfer)
    ledger.store(conn, before, after.values(), transfers)


def _runs(row: Row) -> Runs:
    runs, made, stopped, states, start_count, remains, refunded = row
    counted = [OrderState(state) for state in states]
    return Runs(
        runs=runs,
        made=made,
        stopped=stopped,
        states={state: counted.count(state) for state in counted},
        start_count=start_count,
        remains=remains,
        refunded_micros=Micros(refunded),
    )
