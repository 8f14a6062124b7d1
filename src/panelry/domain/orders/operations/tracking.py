"""Following accepted orders: whose state to ask for, and what the answers change."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import ledger, money
from panelry.domain.orders.operations import changing, judging
from panelry.domain.orders.operations.judging import Judgement
from panelry.domain.orders.rules import FINISHED, after_report, next_check
from panelry.domain.orders.rules.answers import backoff
from panelry.domain.orders.rules.reports import needs_a_person
from panelry.domain.orders.values import (
    Change,
    Order,
    Submission,
    SubmissionId,
    SubmissionState,
    Tracked,
    Verdict,
)
from panelry.domain.providers import ProviderId, Report, RowError

SQL = Statements(Path(__file__).parents[1] / "statements.sql")

Answers = Mapping[Tracked, Report | RowError | None]
"""What a provider said about each submission that was asked for; `None` where it said nothing."""


def claim_tracking(conn: Conn, provider_id: ProviderId, *, most: int, lease: timedelta) -> list[Tracked]:
    """Take accepted submissions at a provider that are due to be asked about, for the time of a lease."""
    rows = SQL["claim_tracking"](conn, provider_id=provider_id, most=most, lease=lease)
    return [
        Tracked(
            submission_id=SubmissionId(id_),
            account_id=account_id,
            provider_id=provider_id,
            upstream_id=upstream_id,
        )
        for account_id, id_, upstream_id in rows
    ]


def apply_reports(conn: Conn, answers: Answers) -> int:
    """Apply what a provider says about orders, and set when to ask again. Return how many orders changed.

    The same report again changes nothing; a finished order is not asked about any more.
    """
    if not answers:
        return 0
    locked = judging.lock(conn, [(t.account_id, t.submission_id) for t in answers])
    at = ledger.now(conn)
    changes, judgements = [], []
    for tracked, answer in answers.items():
        order, submission = locked[tracked.submission_id]
        if submission.state is not SubmissionState.ACCEPTED:
            continue
        change = after_report(order, answer) if isinstance(answer, Report) else None
        if change is not None:
            changes.append(change)
        verdict = _verdict(order, submission, answer, change, at)
        judgements.append(Judgement(account_id=tracked.account_id, verdict=verdict))
    changing.apply(conn, changes, at=at)
    judging.write(conn, judgements, at=at)
    _charges(conn, answers)
    return len(changes)


def _verdict(
    order: Order,
    submission: Submission,
    answer: Report | RowError | None,
    change: Change | None,
    at: datetime,
) -> Verdict:
    """Decide when to ask again, and keep what staff should see once."""
    problem = ""
    if isinstance(answer, Report):
        problem = needs_a_person(order, answer)
        wait, attempt = next_check(at - order.created_at), 0
    else:
        problem = answer.text if answer else ""
        wait, attempt = backoff(submission.attempt, first=timedelta(seconds=2)), submission.attempt + 1
    is_over = (change.to if change else order.state) in FINISHED
    return Verdict(
        submission=submission,
        to=SubmissionState.ACCEPTED,
        due_at=None if is_over else at + wait,
        note=problem if problem != submission.message else "",
        message=problem or None,
        attempt=attempt,
    )


def _charges(conn: Conn, answers: Answers) -> None:
    said = [
        (t, money.cost_micros(report.charge))
        for t, report in answers.items()
        if isinstance(report, Report) and report.charge is not None and report.charge >= 0
    ]
    if said:
        SQL["update_costs"](
            conn,
            account_ids=[t.account_id for t, _ in said],
            ids=[t.submission_id for t, _ in said],
            charged=[charged for _, charged in said],
        )
