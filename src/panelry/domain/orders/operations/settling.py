"""Ending what nobody knows the outcome of: by a person's decision, or when its customer has waited long enough."""

from datetime import timedelta
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import ids, ledger
from panelry.domain.accounts import AccountId
from panelry.domain.ledger import Entry
from panelry.domain.orders.operations import judging, submitting
from panelry.domain.orders.operations.reconciling import taken
from panelry.domain.orders.rules.settling import (
    AcceptedAs,
    NoSuchSubmission,
    Settlement,
    after_settlement,
    after_waiting,
    in_suspense,
)
from panelry.domain.orders.values import Order, Submission, SubmissionId

SQL = Statements(Path(__file__).parents[1] / "statements")


def settle(conn: Conn, submission_id: SubmissionId, settlement: Settlement, *, actor: str) -> AccountId:
    """Do what a person has decided about an unknown or quarantined submission, and return whose it is.

    Accepted: its order is followed and its cost booked. Sent again: its order waits for its turn, or is cancelled
    where its customer asked for that. Paid back: its order ends as refunded. Where the customer was paid back out of
    suspense already, that is settled with sales, and nothing moves in the wallet.
    Raises `NoSuchSubmission`, `NotInQuestion`, `InvalidUpstreamId`, `UpstreamIdTaken`, `AlreadyPaidBack`.
    """
    row = SQL["find_submission"](conn, id=submission_id).fetchone()
    if row is None:
        raise NoSuchSubmission(submission=ids.show(ids.SUBMISSION, submission_id))
    account_id = AccountId(row[0])
    order, submission = judging.lock(conn, [(account_id, submission_id)])[submission_id]
    wanted = [settlement.upstream_id] if isinstance(settlement, AcceptedAs) else []
    at = ledger.now(conn)
    owned = taken(conn, submission.provider_id, wanted)
    consequence = after_settlement(order, submission, settlement, actor=actor, now=at, taken=owned)
    submitting.store(conn, [(account_id, consequence)], at=at)
    _clear_suspense(conn, order, submission, actor)
    return account_id


def pay_back_unknown(conn: Conn, *, waited: timedelta, most: int = 100) -> int:
    """Pay customers back whose submissions have been unknown for so long, and return how many there were.

    The money comes out of suspense: what stands there may be lost, until a person settles it.
    """
    rows = SQL["unknown_for_long"](conn, wait=waited, most=most).fetchall()
    if not rows:
        return 0
    locked = judging.lock(conn, [(AccountId(a), SubmissionId(s)) for a, s in rows])
    judged = [
        (order.account_id, consequence)
        for order, submission in locked.values()
        if (consequence := after_waiting(order, submission, waited=waited)) is not None
    ]
    submitting.store(conn, judged, at=ledger.now(conn))
    return len(judged)


def _clear_suspense(conn: Conn, order: Order, submission: Submission, actor: str) -> None:
    """Let sales bear what was paid back out of suspense. It passes through the wallet, whose balance stays as it is."""
    amount = in_suspense(order, submission)
    if amount == 0:
        return
    posting, name = ids.new(), f"settled {ids.show(ids.SUBMISSION, submission.id)}"
    moves = [(ledger.SALES, ledger.WALLET, name), (ledger.WALLET, ledger.SUSPENSE, f"{name} suspense")]
    entries = [
        Entry(
            posting=posting,
            source=source,
            target=target,
            amount_micros=amount,
            reason="refund: settled",
            actor=actor,
            order_id=order.parent_id or order.id,
            reference=reference,
        )
        for source, target, reference in moves
    ]
    ledger.transfer(conn, order.account_id, *entries)
