"""What can be asked about orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import accounts, ids, money
from panelry.domain.accounts import AccountId, AccountSuspended, InvalidApiKey, KeyDigest
from panelry.domain.ledger import Finding
from panelry.domain.orders.rules.answers import NOT_REPEATABLE
from panelry.domain.orders.values import (
    SUBSCRIPTIONS,
    NoSuchOrder,
    OrderId,
    OrderState,
    Status,
    SubmissionId,
    SubmissionState,
)
from panelry.domain.providers import ProviderId
from panelry.domain.refusals import Refusal

SQL = Statements(Path(__file__).with_name("statements"))
MOST_FINDINGS: Final = 100
_STATES: Final = {str(state): state for state in OrderState}
_BEHIND_ALL: Final = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """At which providers there is work: orders to send, to cancel; lost ones to ask again, to look for."""

    to_send: frozenset[ProviderId]
    to_ask: frozenset[ProviderId]
    to_look: frozenset[ProviderId]
    to_cancel: frozenset[ProviderId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What a search found, newest first; where there may be more, it goes on from the order `more_from`.

    `looked_to` is when that one was placed, where the search ended because it had looked at as many orders as it may.
    """

    order_ids: list[OrderId]
    more_from: OrderId | None = None
    looked_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that is known of one order, for staff: rows as mappings that print and encode as they are."""

    account_id: AccountId
    order: dict[str, Any]
    runs: list[dict[str, Any]]
    submissions: list[dict[str, Any]]
    transfers: list[dict[str, Any]]


def statuses(
    conn: Conn, asked: Sequence[tuple[KeyDigest, Sequence[OrderId]]]
) -> list[list[Status | None] | InvalidApiKey | AccountSuspended]:
    """Return for each key what its account sees of each order it asks for, `None` for those that are not its own."""
    digests = [digest for digest, _ in asked]
    ends = list(accumulate(len(order_ids) for _, order_ids in asked))
    starts = [0, *ends[:-1]]
    with conn.pipeline():
        owners = accounts.begin_whose(conn, digests)
        rows = SQL["statuses"](
            conn,
            digests=digests,
            starts=starts,
            ends=ends,
            ids=list(chain.from_iterable(order_ids for _, order_ids in asked)),
            subscriptions=SUBSCRIPTIONS,
        )
    found: list[Status | None] = [None] * ends[-1]
    for place, state, charge, start_count, remains, runs, runs_done, posts, posts_done in rows.fetchall():
        found[place - 1] = Status(
            state=_STATES[state],
            charge_micros=charge,
            start_count=start_count,
            remains=remains,
            runs=runs,
            runs_done=runs_done,
            posts=posts,
            posts_done=posts_done,
        )
    return [
        owner if isinstance(owner, Refusal) else found[start:end]
        for owner, start, end in zip(
            accounts.whose_from(owners.fetchall(), digests), starts, ends, strict=True
        )
    ]


def counts(conn: Conn, account_id: AccountId, *, most: int) -> dict[OrderState, int]:
    """Count an account's orders in each state, drip-feeds without their runs; `most` means that many or more."""
    found: dict[str, int] = dict(SQL["counts"](conn, account_id=account_id, most=most).fetchall())
    return {state: found.get(state, 0) for state in OrderState}


def matching(
    conn: Conn,
    account_id: AccountId,
    text: str,
    *,
    state: OrderState | None,
    before: OrderId | None,
    most: int,
    look: int,
) -> Matches:
    """Find an account's orders whose link or user name contains a text, newest first, from `before` on.

    It looks at `look` orders and returns `most` of them, so that it takes its time once and no longer.
    """
    asked = {"account_id": account_id, "before": before or _BEHIND_ALL, "look": look}
    states = [str(one) for one in ([state] if state else OrderState)]
    rows = SQL["matching"](conn, **asked, states=states, text=text, most=most + 1).fetchall()
    found = [OrderId(id_) for (id_,) in rows]
    if len(found) > most:
        return Matches(order_ids=found[:most], more_from=found[most - 1])
    last, placed_at = SQL["last_looked_at"](conn, **asked).fetchone() or (None, None)
    return Matches(order_ids=found, more_from=last, looked_to=placed_at)


def due(conn: Conn) -> Due:
    """Look where there is work, without locking or writing anything: what an idle engine does all day."""
    rows = SQL["due"](conn, not_repeatable=NOT_REPEATABLE).fetchall()
    return Due(
        to_send=frozenset(ProviderId(row[0]) for row in rows if row[1]),
        to_ask=frozenset(ProviderId(row[0]) for row in rows if row[2]),
        to_look=frozenset(ProviderId(row[0]) for row in rows if row[3]),
        to_cancel=frozenset(ProviderId(row[0]) for row in rows if row[4]),
    )


def to_follow(
    conn: Conn, since: Mapping[ProviderId, datetime] = MappingProxyType({})
) -> frozenset[ProviderId]:
    """Look at which providers there are orders to be asked about; `since`: all that was due before is taken already."""
    rows = SQL["to_follow"](conn, provider_ids=list(since), since=list(since.values()))
    return frozenset(ProviderId(id_) for (id_,) in rows)


def sheet(conn: Conn, order_id: OrderId) -> Sheet:
    """Return all that is known of one order, whosever it is. Raises `NoSuchOrder`."""
    row = SQL["find"](conn, id=order_id).fetchone()
    if row is None:
        raise NoSuchOrder(order=ids.show(ids.ORDER, order_id))
    account_id = AccountId(row[0])
    key = {"account_id": account_id, "id": order_id}
    return Sheet(
        account_id=account_id,
        order=_order_row(SQL["sheet"](conn, **key, subscriptions=SUBSCRIPTIONS).fetchall()[0]),
        runs=[_run_row(found) for found in SQL["order_runs"](conn, **key)],
        submissions=[_submission_row(found) for found in SQL["order_submissions"](conn, **key)],
        transfers=[_transfer_row(found) for found in SQL["order_transfers"](conn, **key)],
    )


def submissions_in(
    conn: Conn, states: Sequence[SubmissionState], *, most: int = 1000
) -> list[dict[str, Any]]:
    """List submissions that wait for an answer or a person, oldest first, with their evidence."""
    rows = SQL["submissions_in"](conn, states=[str(state) for state in states], most=most)
    return [_listed(row) for row in rows]


def submission(conn: Conn, account_id: AccountId, submission_id: SubmissionId) -> dict[str, Any]:
    """Return one submission as `submissions_in` lists it."""
    [row] = SQL["submission"](conn, account_id=account_id, id=submission_id)
    return _listed(row)


def verify(conn: Conn) -> list[Finding]:
    """Hold orders against the books: charges and refunds against transfers, submissions against costs, timelines, names."""
    findings = [
        _finding(account, ids.show(ids.ORDER, order), _wrong_charge(said, booked))
        for account, order, *said_and_booked in SQL["wrong_charges"](conn, most=MOST_FINDINGS)
        for said, booked in ((said_and_booked[:3], said_and_booked[3:]),)
    ]
    for account, order in SQL["wrong_drip_feeds"](conn, most=MOST_FINDINGS):
        findings.append(_finding(account, ids.show(ids.ORDER, order), "is not the sum of its runs"))
    for account, submission, is_accepted in SQL["wrong_costs"](conn, most=MOST_FINDINGS):
        problem = "is accepted but has no cost row" if is_accepted else "has a cost row but is not accepted"
        findings.append(_finding(account, ids.show(ids.SUBMISSION, submission), problem))
    for account, order, sequence, last in SQL["wrong_timelines"](conn, most=MOST_FINDINGS):
        problem = f"counts {sequence} events, its timeline ends at {last} or has gaps"
        findings.append(_finding(account, ids.show(ids.ORDER, order), problem))
    for account, order, submission in SQL["wrong_references"](conn, most=MOST_FINDINGS):
        row = ids.show(ids.SUBMISSION, submission) if submission else ids.show(ids.ORDER, order)
        findings.append(
            _finding(account, row, "names an account, service, route or provider that does not exist")
        )
    return findings


def _finding(account_id: AccountId, row: str, problem: str) -> Finding:
    return Finding(account=ids.show(ids.ACCOUNT, account_id), row=row, problem=problem)


def _wrong_charge(said: Sequence[int | None], booked: Sequence[int | None]) -> str:
    """Compare charge, refunds and what a coupon gave, as the order and as its transfers say."""
    if said[0] is None:
        return "has transfers but does not exist"
    of_order, of_transfers = (
        "charge {}, refunds {}, coupon {}".format(*(money.text(amount or 0) for amount in amounts))
        for amounts in (said, booked)
    )
    return f"says {of_order}; its transfers say {of_transfers}"


def _order_row(row: tuple[Any, ...]) -> dict[str, Any]:
    (
        id_, account_id, email, service_id, service, type_, request_id, link, extras, quantity, charge, refunded, coupon,
        given, given_back, state, start_count, remains, posts, posts_done, parent_id, run, runs, made, interval, next_run_at,
        cancel, cancel_message, created_at, finished_at,
    ) = row  # fmt: skip
    said = {
        "order": ids.show(ids.ORDER, id_),
        "account": ids.show(ids.ACCOUNT, account_id),
        "email": email,
        "service": service_id,
        "service_name": service,
        "type": type_,
        "request_id": request_id,
        "link": link,
        "extras": msgspec.json.decode(extras),
        "quantity": quantity,
        "charge": money.text(charge),
        "refunded": money.text(refunded),
        "kept": money.text(charge - refunded),
        "status": state,
        "start_count": start_count,
        "remains": remains,
        "created_at": created_at.isoformat(),
        "finished_at": finished_at.isoformat() if finished_at else None,
    }
    if coupon:
        said["coupon"] = {"code": coupon, "gave": money.text(given), "took_back": money.text(given_back)}
    if posts_done is not None:
        said["subscription"] = {"posts": posts, "posts_done": posts_done}
    if parent_id:
        said["run_of"] = {"order": ids.show(ids.ORDER, parent_id), "run": run}
    if runs:
        due = next_run_at.isoformat() if next_run_at else None
        said["drip_feed"] = {"runs": runs, "made": made, "interval_minutes": interval, "next_run_at": due}
    if cancel:
        said["cancel"] = {"state": cancel, "message": cancel_message}
    return said


def _run_row(row: tuple[Any, ...]) -> dict[str, Any]:
    run, id_, state, remains, refunded, created_at = row
    return {
        "run": run,
        "order": ids.show(ids.ORDER, id_),
        "status": state,
        "remains": remains,
        "refunded": money.text(refunded),
        "created_at": created_at.isoformat(),
    }


def _listed(row: tuple[Any, ...]) -> dict[str, Any]:
    id_, order_id, link, provider, state, evidence, sent_at = row
    return {
        "id": ids.show(ids.SUBMISSION, id_),
        "order": ids.show(ids.ORDER, order_id),
        "link": link,
        "provider": provider,
        "state": state,
        "sent_at": sent_at.isoformat(),
        "evidence": msgspec.json.decode(evidence),
    }


def _submission_row(row: tuple[Any, ...]) -> dict[str, Any]:
    (
        id_, provider, service, state, upstream_id, message, evidence, reported, sent_at, answered_at, expected, charged,
    ) = row  # fmt: skip
    return {
        "id": ids.show(ids.SUBMISSION, id_),
        "provider": provider,
        "provider_service": service,
        "state": state,
        "upstream_id": upstream_id,
        "message": message,
        "evidence": msgspec.json.decode(evidence),
        "reported": None if reported is None else msgspec.json.decode(reported),
        "sent_at": sent_at.isoformat(),
        "answered_at": answered_at.isoformat() if answered_at else None,
        "expected_cost": None if expected is None else money.text(expected),
        "charged_cost": None if charged is None else money.text(charged),
    }


def _transfer_row(row: tuple[Any, ...]) -> dict[str, Any]:
    version, source, target, amount, balance, reason, actor, at = row
    return {
        "version": version,
        "from": source,
        "to": target,
        "amount": money.text(amount),
        "balance": money.text(balance),
        "reason": reason,
        "actor": actor,
        "at": at.isoformat(),
    }
