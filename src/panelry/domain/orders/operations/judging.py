"""Locked submissions and what is written about them: shared by submitting and tracking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain.accounts import AccountId
from panelry.domain.catalog import RouteId
from panelry.domain.orders.operations.changing import COLUMNS, order_from
from panelry.domain.orders.values import Order, Submission, SubmissionId, SubmissionState, Verdict
from panelry.domain.providers import ProviderId

SQL = Statements(Path(__file__).parents[1] / "statements")
_STATES: Final = {str(state): state for state in SubmissionState}
_LONGEST_NOTE = 1000
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with the account that its submission belongs to."""

    account_id: AccountId
    verdict: Verdict


def lock(
    conn: Conn, keys: Sequence[tuple[AccountId, SubmissionId]]
) -> dict[SubmissionId, tuple[Order, Submission]]:
    """Lock submissions and their orders, in the order of the orders' ids, and return both as they now stand."""
    rows = SQL["lock_submitted"](conn, account_ids=[a for a, _ in keys], ids=[s for _, s in keys])
    locked = ((order_from(row), _submission(row[COLUMNS:])) for row in rows)
    return {submission.id: (order, submission) for order, submission in locked}


def write(conn: Conn, judgements: Sequence[Judgement], *, at: datetime) -> None:
    """Store verdicts about locked submissions."""
    if not judgements:
        return
    verdicts = [j.verdict for j in judgements]
    SQL["move_submissions"](
        conn,
        account_ids=[j.account_id for j in judgements],
        ids=[v.submission.id for v in verdicts],
        states=[v.to for v in verdicts],
        due_ats=[v.due_at for v in verdicts],
        upstream_ids=[v.upstream_id for v in verdicts],
        reasons=[v.reason for v in verdicts],
        messages=[v.message[:_LONGEST_NOTE] if v.message is not None else None for v in verdicts],
        attempts=[v.attempt for v in verdicts],
        notes=[v.note[:_LONGEST_NOTE] for v in verdicts],
        reports=[None if v.reported is None else _encode(v.reported).decode() for v in verdicts],
        at=at,
    )


def _submission(row: Row) -> Submission:
    (
        id_, route_id, provider_id, provider_service, state, upstream_id, attempt, message, sent_at, due_at, unknown_at,
        resent,
    ) = row  # fmt: skip
    return Submission(
        id=SubmissionId(id_),
        route_id=RouteId(route_id),
        provider_id=ProviderId(provider_id),
        provider_service=provider_service,
        state=_STATES[state],
        upstream_id=upstream_id,
        attempt=attempt,
        message=message,
        sent_at=sent_at,
        due_at=due_at,
        unknown_at=unknown_at,
        resent=resent,
    )
