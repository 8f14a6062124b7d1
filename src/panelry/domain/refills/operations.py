"""All that changes refills."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import ids, ledger, webhooks
from panelry.domain.accounts import AccountId
from panelry.domain.events import Event
from panelry.domain.orders import ENGINE, SUBSCRIPTIONS, OrderId, OrderState
from panelry.domain.providers import ProviderId, RefillState
from panelry.domain.refills import rules
from panelry.domain.refills.values import Answer, Candidate, Change, Claimed, Refill, RefillId, Wanted
from panelry.domain.refusals import Refusal

SQL = Statements.beside(__file__)
_LONGEST_MESSAGE: Final = 1000


def request(conn: Conn, wanted: Sequence[Wanted], *, actor: str) -> list[RefillId | Refusal]:
    """Ask for refills and answer each wish: its refill's id, or the refusal that says why not.

    Each is judged on its own, one after the other. Wishing again under the same id is answered the same.
    """
    if not wanted:
        return []
    found = _load(conn, wanted)
    at = ledger.now(conn)
    answers = rules.decide(wanted, found, at=at)
    new = [
        (wish, candidate)
        for wish, answer in zip(wanted, answers, strict=True)
        if answer == wish.id and wish.id not in (candidate := found[wish.account_id, wish.order_id]).known
    ]
    _store(conn, new, actor, at)
    return answers


def claim(conn: Conn, provider_id: ProviderId, *, most: int, lease: timedelta) -> list[Claimed]:
    """Take refills at a provider that are due, for the time of a lease."""
    rows = SQL["claim"](conn, provider_id=provider_id, most=most, lease=lease)
    return [
        Claimed(
            id=RefillId(id_),
            account_id=account_id,
            provider_id=provider_id,
            question=rules.next_question(RefillState(state), upstream_id),
            upstream_order=upstream_order,
            upstream_id=upstream_id,
        )
        for account_id, id_, state, upstream_order, upstream_id in rows
    ]


def record(conn: Conn, answers: Mapping[Claimed, Answer]) -> int:
    """Write down what providers answered; return how many refills it changed.

    Answers to refills that ended, or that went on by another answer meanwhile, change nothing.
    """
    if not answers:
        return 0
    locked = _lock(conn, list(answers))
    assert len(locked) == len(answers), "each refill has one answer"
    at = ledger.now(conn)
    judged = [
        rules.after_answer(locked[claimed.id], claimed.question, answer, at=at)
        for claimed, answer in answers.items()
    ]
    changes = [change for change in judged if change is not None]
    _apply(conn, changes, at)
    return len(changes)


def _load(conn: Conn, wanted: Sequence[Wanted]) -> dict[tuple[AccountId, OrderId], Candidate]:
    """Lock the orders, then read what decides: only now is all that the last holder of the locks did to be seen."""
    keys = sorted({(wish.account_id, wish.order_id) for wish in wanted})
    which = {
        "account_ids": [account_id for account_id, _ in keys],
        "order_ids": [order_id for _, order_id in keys],
    }
    SQL["lock_orders"](conn, **which)
    rows = SQL["load_orders"](conn, **which, wanted=[wish.id for wish in wanted])
    return {(AccountId(row[0]), OrderId(row[1])): _candidate(row[2:]) for row in rows}


def _candidate(row: Row) -> Candidate:
    (
        state, type_, is_drip_feed, has_delivered, finished_at, has_refill, refill_days, refill_most, provider_id,
        upstream_order, refills, is_pending, known,
    ) = row  # fmt: skip
    return Candidate(
        state=OrderState(state),
        is_single=type_ != SUBSCRIPTIONS and not is_drip_feed,
        has_delivered=has_delivered,
        finished_at=finished_at,
        has_refill=has_refill,
        refill_days=refill_days,
        refill_most=refill_most,
        bought_at=None if upstream_order is None else (ProviderId(provider_id), upstream_order),
        refills=refills,
        is_pending=is_pending,
        known=frozenset(map(RefillId, known)),
    )


def _lock(conn: Conn, claimed: Sequence[Claimed]) -> dict[RefillId, Refill]:
    rows = SQL["lock"](conn, account_ids=[c.account_id for c in claimed], ids=[c.id for c in claimed])
    return {
        RefillId(id_): Refill(
            id=RefillId(id_),
            account_id=AccountId(account_id),
            order_id=OrderId(order_id),
            state=RefillState(state),
            upstream_id=upstream_id,
            attempt=attempt,
            created_at=created_at,
        )
        for account_id, id_, order_id, state, upstream_id, attempt, created_at in rows
    }


def _store(conn: Conn, new: Sequence[tuple[Wanted, Candidate]], actor: str, at: datetime) -> None:
    if not new:
        return
    bought = [candidate.bought_at for _, candidate in new if candidate.bought_at is not None]
    with conn.pipeline():
        SQL["insert"](
            conn,
            account_ids=[wish.account_id for wish, _ in new],
            ids=[wish.id for wish, _ in new],
            order_ids=[wish.order_id for wish, _ in new],
            provider_ids=[provider_id for provider_id, _ in bought],
            upstream_orders=[upstream_order for _, upstream_order in bought],
            at=at,
        )
        webhooks.tell(conn, [_event(wish, RefillState.PENDING, actor, at) for wish, _ in new])


def _apply(conn: Conn, changes: Sequence[Change], at: datetime) -> None:
    if not changes:
        return
    ends = [change for change in changes if change.to in rules.ENDED]
    with conn.pipeline():
        SQL["move"](
            conn,
            account_ids=[c.refill.account_id for c in changes],
            ids=[c.refill.id for c in changes],
            states=[c.to for c in changes],
            upstream_ids=[c.upstream_id for c in changes],
            messages=[c.message[:_LONGEST_MESSAGE] for c in changes],
            attempts=[c.attempt for c in changes],
            due_ats=[c.due_at for c in changes],
            at=at,
        )
        webhooks.tell(conn, [_event(c.refill, c.to, ENGINE, at) for c in ends])


def _event(of: Wanted | Refill, to: RefillState, actor: str, at: datetime) -> Event:
    """Write one of the two events that a refill has: that it was asked for, and how it ended."""
    is_end = to in rules.ENDED
    return Event(
        id=ids.new(),
        account_id=of.account_id,
        subject=of.id,
        sequence=2 if is_end else 1,
        type=f"refill.{to}" if is_end else "refill.created",
        data={"order": ids.show(ids.ORDER, of.order_id), "status": to},
        actor=actor,
        at=at,
    )
