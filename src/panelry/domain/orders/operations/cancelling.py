"""Cancelling: at once where nothing was sent, else as a request to the provider (api-v2.md, 4 cancel)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import catalog, ledger, money
from panelry.domain.orders.operations import changing
from panelry.domain.orders.operations.changing import Key
from panelry.domain.orders.rules import backoff
from panelry.domain.orders.rules.cancelling import Wish, after_wish
from panelry.domain.orders.values import (
    CancelCall,
    Change,
    Order,
    OrderId,
    OrderNotFound,
    SubmissionId,
)
from panelry.domain.providers import CancelAnswer, CancelAsked, CancelRefused, ProviderId
from panelry.domain.refusals import Refusal

SQL = Statements(Path(__file__).parents[1] / "statements")


def cancel(conn: Conn, asked: Sequence[Key], *, actor: str) -> list[OrderId | Refusal]:
    """Cancel orders, each on its own merits, and answer each in turn with its id or the refusal.

    What was not sent ends here with all its money back; for what is under way a request to its provider is queued,
    once. Of a drip-feed no further run is made, and its runs are cancelled as if each were an order. Asking again
    answers the same. Refusals: `OrderNotFound`, `CannotBeCancelled`.
    """
    wishes = _lock(conn, list(dict.fromkeys(asked)), actor)
    answers: dict[Key, OrderId | Refusal] = {}
    changes: list[Change] = []
    stopped: list[Key] = []
    for key, wish in wishes.items():
        try:
            changes += after_wish(wish)
        except Refusal as refusal:
            answers[key] = refusal
        else:
            answers[key] = wish.order.id
            stopped += [key] if wish.makes_runs else []
    _store(conn, changes, stopped)
    return [answers.get(key, OrderNotFound()) for key in asked]


def _lock(conn: Conn, keys: Sequence[Key], actor: str) -> dict[Key, Wish]:
    """Lock what is to be cancelled: drip-feeds, then runs and other orders, then the orders of the drip-feeds."""
    makes_runs = {(row[1], row[0]): row[2] for row in SQL["lock_drip_feeds"](conn, **_columns(keys))}
    parts: dict[Key, list[Order]] = {key: [] for key in makes_runs}
    for row in SQL["lock_stoppable"](conn, **_columns(keys)):
        order = changing.order_from(row)
        parts.setdefault((order.account_id, order.parent_id or order.id), []).append(order)
    whole = _locked(conn, list(makes_runs))
    found = {key: whole.get(key) or parts[key][0] for key in parts}
    services = catalog.load(conn, {order.service_id for order in found.values()}, off_sale_too=True)
    return {
        key: Wish(
            order=order,
            parts=parts[key],
            makes_runs=makes_runs.get(key, False),
            may_be_asked=services[order.service_id].cancel,
            actor=actor,
        )
        for key, order in found.items()
    }


def claim_cancels(conn: Conn, provider_id: ProviderId, *, most: int, lease: timedelta) -> list[CancelCall]:
    """Take requests to cancel orders that a provider has accepted, for the time of a lease."""
    return [
        CancelCall(
            submission_id=SubmissionId(submission),
            account_id=account_id,
            order_id=OrderId(order),
            upstream_id=upstream_id,
            attempt=attempt,
        )
        for submission, account_id, order, upstream_id, attempt in SQL["claim_cancels"](
            conn, provider_id=provider_id, most=most, lease=lease
        )
    ]


def record_cancels(conn: Conn, answers: Mapping[CancelCall, CancelAnswer | None]) -> None:
    """Write what providers answered to requests to cancel; `None` is asked again later.

    Money moves only when the order's own status says so, which is asked for soon.
    """
    if not answers:
        return
    orders = _locked(conn, [(call.account_id, call.order_id) for call in answers])
    at = ledger.now(conn)
    judged = [(call, *_state(call, answer, at)) for call, answer in answers.items()]
    SQL["move_cancels"](
        conn,
        **_columns([(call.account_id, call.order_id) for call, *_ in judged]),
        states=[state for _, state, _, _ in judged],
        messages=[message[:1000] for _, _, message, _ in judged],
        due_ats=[due_at for *_, due_at in judged],
    )
    asked = [call for call, answer in answers.items() if isinstance(answer, CancelAsked)]
    SQL["hasten"](
        conn, account_ids=[c.account_id for c in asked], ids=[c.submission_id for c in asked], at=at
    )
    refused = [
        orders[call.account_id, call.order_id]
        for call, answer in answers.items()
        if isinstance(answer, CancelRefused)
    ]
    changing.apply(conn, [_news(order, "cancel_refused") for order in refused], at=at)


def _store(conn: Conn, changes: Sequence[Change], stopped: Sequence[Key]) -> None:
    at = ledger.now(conn)
    if stopped:
        SQL["stop_drip_feeds"](conn, **_columns(stopped))
    sent = [(c.order.account_id, c.order.id) for c in changes if c.news]
    if sent:
        SQL["insert_cancels"](conn, **_columns(sent), at=at)
    changing.apply(conn, changes, at=at, drip_feeds=stopped)


def _locked(conn: Conn, keys: Sequence[Key]) -> dict[Key, Order]:
    rows = SQL["lock_orders"](conn, **_columns(keys)) if keys else ()
    return {(order.account_id, order.id): order for order in map(changing.order_from, rows)}


def _state(call: CancelCall, answer: CancelAnswer | None, at: datetime) -> tuple[str, str, datetime]:
    match answer:
        case CancelAsked():
            return "asked", "", at
        case CancelRefused(text=text):
            return "refused", text, at
        case None:
            return "waiting", "", at + backoff(call.attempt, first=timedelta(seconds=2))


def _news(order: Order, name: str) -> Change:
    return Change(
        order=order,
        to=order.state,
        refund_micros=money.ZERO,
        start_count=order.start_count,
        remains=order.remains,
        news=name,
    )


def _columns(keys: Sequence[Key]) -> dict[str, Sequence[UUID]]:
    return {"account_ids": [a for a, _ in keys], "ids": [o for _, o in keys]}
