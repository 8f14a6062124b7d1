"""Buying orders from providers, at most once (money-and-lifecycle.md, 5)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import catalog, ids, ledger, money, providers
from panelry.domain.accounts import AccountId
from panelry.domain.catalog import RouteId, Service, ServiceId
from panelry.domain.orders.operations import changing, judging
from panelry.domain.orders.operations.judging import Judgement
from panelry.domain.orders.rules.answers import (
    NOT_CREATED,
    NOT_REPEATABLE,
    OURS,
    Consequence,
    Situation,
    after_outcome,
)
from panelry.domain.orders.rules.types import upstream_parameters
from panelry.domain.orders.values import Attempt, Change, OrderState, SubmissionId
from panelry.domain.providers import Accepted, Outcome, ProviderId, Unknown

SQL = Statements(Path(__file__).parents[1] / "statements")


def claim_submissions(conn: Conn, provider_id: ProviderId, *, most: int, lease: timedelta) -> list[Attempt]:
    """Take orders that wait for a provider, at most as many as it has room for, and commit the intent to send each.

    Only after the commit may the calls be made, each once and before the lease ends.
    """
    room = SQL["lock_provider"](conn, provider_id=provider_id).fetchone()
    if room is None:
        return []
    rows = SQL["claim_waiting"](conn, provider_id=provider_id, most=most, max_in_flight=room[0]).fetchall()
    if not rows:
        return []
    at = ledger.now(conn)
    claimed = [(changing.order_from(row), SubmissionId(ids.new()), row) for row in rows]
    SQL["insert_submissions"](
        conn,
        account_ids=[order.account_id for order, _, _ in claimed],
        ids=[id_ for _, id_, _ in claimed],
        order_ids=[order.id for order, _, _ in claimed],
        route_ids=[row[changing.COLUMNS + 2] for _, _, row in claimed],
        provider_ids=[provider_id] * len(claimed),
        provider_services=[row[changing.COLUMNS + 3] for _, _, row in claimed],
        lease_end=at + lease,
        at=at,
    )
    changing.apply(
        conn,
        [
            Change(
                order=order,
                to=OrderState.PROCESSING,
                refund_micros=money.ZERO,
                start_count=order.start_count,
                remains=order.remains,
            )
            for order, _, _ in claimed
        ],
        at=at,
    )
    return [
        _attempt(provider_id, order.account_id, id_, (service, order.type, link, order.quantity, extras))
        for order, id_, row in claimed
        for link, extras, _, service in (row[changing.COLUMNS :],)
    ]


def claim_resends(conn: Conn, provider_id: ProviderId, *, most: int, lease: timedelta) -> list[Attempt]:
    """Take unknown submissions whose provider recognises our request ids: asking again is answered with the truth."""
    rows = SQL["claim_unknown"](
        conn, provider_id=provider_id, most=most, lease=lease, not_repeatable=NOT_REPEATABLE
    ).fetchall()
    return [_attempt(provider_id, row[0], row[1], row[3:], repetition=row[2]) for row in rows]


def abandon_expired(conn: Conn, *, resendable: Collection[ProviderId], most: int = 100) -> int:
    """Call unknown what was being sent by workers that did not come back in time; return how many there were."""
    keys = [(AccountId(a), SubmissionId(s)) for a, s in SQL["abandoned"](conn, most=most)]
    lost = Unknown(text="the program that was sending it ended before an answer came")
    return record_outcomes(conn, dict.fromkeys(keys, lost), resendable=resendable)


def record_outcomes(
    conn: Conn,
    outcomes: Mapping[tuple[AccountId, SubmissionId], Outcome],
    *,
    resendable: Collection[ProviderId],
    repetitions: Mapping[SubmissionId, int] = MappingProxyType({}),
) -> int:
    """Write what became of calls: submissions, orders, refunds, costs, pauses. Return how many answers counted.

    An answer to a submission that is settled already changes nothing. `repetitions` says to which of its calls an
    answer is, where that is not the first one.
    """
    if not outcomes:
        return 0
    locked = judging.lock(conn, list(outcomes))
    at = ledger.now(conn)
    services = catalog.load(conn, {order.service_id for order, _ in locked.values()}, off_sale_too=True)
    refused, short = refusals(conn, [(order.account_id, order.id) for order, _ in locked.values()])
    taken = _taken(conn, [(locked[s][1].provider_id, o) for (_, s), o in outcomes.items() if s in locked])
    judged: list[tuple[AccountId, Consequence]] = []
    for (account_id, submission_id), outcome in outcomes.items():
        order, submission = locked[submission_id]
        situation = Situation(
            order=order,
            submission=submission,
            routes=_routes(services, order.service_id),
            refused=refused.get(order.id, set()),
            short=short.get(order.id, set()),
            resendable=submission.provider_id in resendable,
            repetition=repetitions.get(submission_id, 0),
            taken=taken.get(submission.provider_id, set()),
            now=at,
        )
        consequence = after_outcome(situation, outcome)
        if consequence is not None:
            judged.append((account_id, consequence))
        if isinstance(outcome, Accepted):
            taken.setdefault(submission.provider_id, set()).add(outcome.upstream_id)
    store(conn, judged, at=at)
    return len(judged)


def store(conn: Conn, judged: Sequence[tuple[AccountId, Consequence]], *, at: datetime) -> None:
    """Write what follows for submissions and orders that this transaction holds locked."""
    judging.write(conn, [Judgement(account_id=a, verdict=c.verdict) for a, c in judged], at=at)
    accepted = [(a, c.verdict.submission.id, c.accepted) for a, c in judged if c.accepted]
    if accepted:
        SQL["insert_costs"](
            conn,
            account_ids=[a for a, _, _ in accepted],
            ids=[s for _, s, _ in accepted],
            charged=[
                None if o.charge is None or o.charge < 0 else money.cost_micros(o.charge)
                for _, _, o in accepted
            ],
            at=at,
        )
    changing.apply(conn, [c.change for _, c in judged if c.change], at=at)
    catalog.close_routes(conn, [c.close_route for _, c in judged if c.close_route is not None])
    for reason in OURS:
        paused = {c.verdict.submission.provider_id for _, c in judged if c.pause_for is reason}
        if paused:
            providers.pause(conn, paused, reason)


def _attempt(
    provider_id: ProviderId, account_id: AccountId, id_: UUID, row: Row, *, repetition: int = 0
) -> Attempt:
    provider_service, type_, link, quantity, extras = row
    return Attempt(
        submission_id=SubmissionId(id_),
        account_id=account_id,
        provider_id=provider_id,
        provider_service=str(provider_service),
        request_id=ids.show(ids.SUBMISSION, id_),
        parameters=upstream_parameters(type_, link, quantity, msgspec.json.decode(extras)),
        repetition=repetition,
    )


def _routes(services: Mapping[ServiceId, Service], service_id: ServiceId) -> tuple[catalog.Route, ...]:
    return services[service_id].routes if service_id in services else ()


def refusals(
    conn: Conn, orders: Sequence[tuple[AccountId, UUID]]
) -> tuple[dict[UUID, set[RouteId]], dict[UUID, set[RouteId]]]:
    """Return by which routes each order was refused: for reasons of its own, and because of our key or funds there."""
    own: dict[UUID, set[RouteId]] = {}
    ours: dict[UUID, set[RouteId]] = {}
    rows = SQL["refused_routes"](
        conn,
        account_ids=[a for a, _ in orders],
        order_ids=[o for _, o in orders],
        ours=list(OURS),
        not_created=NOT_CREATED,
    )
    for order_id, route_id, is_ours in rows:
        (ours if is_ours else own).setdefault(order_id, set()).add(route_id)
    return own, ours


def _taken(conn: Conn, answers: Sequence[tuple[ProviderId, Outcome]]) -> dict[ProviderId, set[str]]:
    claimed = [(provider_id, o.upstream_id) for provider_id, o in answers if isinstance(o, Accepted)]
    rows: Sequence[Row] = []
    if claimed:
        rows = SQL["taken"](
            conn, provider_ids=[p for p, _ in claimed], upstream_ids=[u for _, u in claimed]
        ).fetchall()
    found: dict[ProviderId, set[str]] = {}
    for provider_id, upstream_id, _ in rows:
        found.setdefault(provider_id, set()).add(upstream_id)
    return found
