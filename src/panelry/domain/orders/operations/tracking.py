"""Following accepted orders: whose state to ask for, and what the answers change."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import ledger, money
from panelry.domain.orders.operations import changing, judging
from panelry.domain.orders.operations.judging import Judgement
from panelry.domain.orders.rules import FINISHED, after_report, backoff, needs_a_person, next_check
from panelry.domain.orders.rules.checks import is_lost
from panelry.domain.orders.values import (
    Change,
    Known,
    Order,
    Submission,
    SubmissionId,
    SubmissionState,
    Tracked,
    Verdict,
)
from panelry.domain.providers import ProviderId, Report, RowError

SQL = Statements(Path(__file__).parents[1] / "statements")

Answers = Mapping[Tracked, Report | RowError | None]
"""What a provider said about each submission that was asked for; `None` where it said nothing."""
_decode = msgspec.json.Decoder().decode
_FIRST_RETRY: Final = timedelta(seconds=2)


def claim_tracking(
    conn: Conn, provider_id: ProviderId, *, most: int, lease: timedelta, since: datetime | None = None
) -> list[Tracked]:
    """Take accepted submissions at a provider that are due to be asked about, for the time of a lease.

    Whoever has just taken all that was due before `since` need not look there again.
    """
    rows = SQL["claim_tracking"](conn, provider_id=provider_id, most=most, lease=lease, since=since)
    return [_tracked(provider_id, row) for row in rows]


def ask_later(conn: Conn, answers: Answers) -> Answers:
    """Set when to ask again about orders of which nothing new was said; return the answers that are left to apply.

    Most answers say nothing new. They are compared with what was known when the submission was claimed; nothing is
    locked, and only the due time is written, unless somebody has moved it since then.
    """
    at = ledger.now(conn)
    left: dict[Tracked, Report | RowError | None] = {}
    later: list[tuple[Tracked, Known, timedelta | None]] = []
    for tracked, answer in answers.items():
        known = tracked.known
        if known is not None and isinstance(answer, Report) and _says_nothing_new(known, answer):
            order = known.order
            wait = next_check(order, sent_at=known.sent_at, now=at, is_over=order.state in FINISHED)
            later.append((tracked, known, wait))
        else:
            left[tracked] = answer
    SQL["ask_later"](
        conn,
        account_ids=[tracked.account_id for tracked, _, _ in later],
        ids=[tracked.submission_id for tracked, _, _ in later],
        befores=[known.due_at for _, known, _ in later],
        due_ats=[None if wait is None else at + wait for _, _, wait in later],
    )
    return left


def apply_reports(conn: Conn, answers: Answers) -> int:
    """Apply what a provider says about orders, and set when to ask again. Return how many orders changed.

    The same report again changes nothing. A finished order is still asked about for a week: its provider may correct
    what it said.
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


def _tracked(provider_id: ProviderId, row: Row) -> Tracked:
    order = changing.order_from(row)
    submission_id, upstream_id, due_at, sent_at, message, reported = row[changing.COLUMNS :]
    return Tracked(
        submission_id=SubmissionId(submission_id),
        account_id=order.account_id,
        provider_id=provider_id,
        upstream_id=upstream_id,
        known=Known(
            order=order,
            sent_at=sent_at,
            due_at=due_at,
            message=message,
            reported=None if reported is None else _decode(reported),
        ),
    )


def _says_nothing_new(known: Known, report: Report) -> bool:
    """Tell whether a report changes nothing, in the order or in what is kept of it for staff."""
    return (
        known.reported == _reported(report)
        and after_report(known.order, report) is None
        and needs_a_person(known.order, report) in {"", known.message}
    )


def _verdict(
    order: Order,
    submission: Submission,
    answer: Report | RowError | None,
    change: Change | None,
    at: datetime,
) -> Verdict:
    """Decide when to ask again, and keep what staff should see once."""
    to = change.to if change else order.state
    wait = next_check(order, sent_at=submission.sent_at, now=at, is_over=to in FINISHED)
    problem, attempt, reported = "", 0, None
    if isinstance(answer, Report):
        problem = needs_a_person(order, answer)
        reported = _reported(answer)
    else:
        problem = answer.text if answer else ""
        attempt = submission.attempt + 1
        if is_lost(attempt, first=_FIRST_RETRY):
            problem = (
                f"for more than an hour the provider has told nothing about it: {problem or 'no answer'}"
            )
        wait = wait and max(wait, backoff(submission.attempt, first=_FIRST_RETRY))
    return Verdict(
        submission=submission,
        to=SubmissionState.ACCEPTED,
        due_at=None if wait is None else at + wait,
        note=problem if problem != submission.message else "",
        message=problem or None,
        reported=reported,
        attempt=attempt,
    )


def _reported(report: Report) -> dict[str, str | int | None]:
    said = {
        "status": report.word,
        "start_count": report.start_count,
        "remains": report.remains,
        "charge": None if report.charge is None else str(report.charge),
        "posts_done": report.posts_done,
        "expiry": report.expiry or None,
    }
    return {name: value for name, value in said.items() if value is not None}


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
