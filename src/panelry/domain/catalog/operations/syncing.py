"""Keeping the catalogue in step with what providers list."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import providers
from panelry.domain.catalog import queries, rules
from panelry.domain.catalog.operations import storing
from panelry.domain.catalog.values import (
    Change,
    MoveId,
    MoveNotHeld,
    MoveState,
    Off,
    RouteId,
    Synced,
)
from panelry.domain.money import Micros
from panelry.domain.providers import ProviderId, UpstreamService

SQL = Statements(Path(__file__).parents[1] / "statements.sql")


def sync(
    conn: Conn,
    provider_id: ProviderId,
    services: Sequence[UpstreamService],
    *,
    move_percent: Decimal,
    anyway: bool = False,
) -> Synced:
    """Keep a provider's list as just read, and let the catalogue follow it as far as the rules allow.

    A price further than `move_percent` from the one we count with is held for a person. Raises `TemporaryFailure` for a
    list that is not to be believed, and then nothing has changed; `anyway` believes one that lost more than half.
    """
    providers.check_list(conn, provider_id, services, anyway=anyway)
    listed = {row.service: row for row in reversed(services)}  # of two with the same id the first counts
    ids = [row[0] for row in SQL["services_of_provider"](conn, provider_id=provider_id)]
    pairs = [
        (sheet, rules.synced(sheet, provider_id, listed, move_percent=move_percent))
        for sheet in storing.lock(conn, ids).values()
    ]
    changes = storing.store(conn, pairs)
    # Last, because it locks the provider, which those who close routes lock after them.
    providers.record_snapshot(conn, provider_id, services, anyway=anyway)
    return Synced(services=len(listed), changes=tuple(changes))


def close_routes(conn: Conn, route_ids: Collection[RouteId]) -> None:
    """Buy no longer by these routes, because their provider does not know the service, until its list has it again."""
    if not route_ids:
        return
    ids = [row[0] for row in SQL["services_of_routes"](conn, ids=list(route_ids))]
    pairs = [
        (
            sheet,
            replace(
                sheet,
                routes=tuple(
                    replace(route, off=Off.REFUSED) if route.id in route_ids and route.off is None else route
                    for route in sheet.routes
                ),
            ),
        )
        for sheet in storing.lock(conn, ids).values()
    ]
    storing.store(conn, pairs)


def approve_moves(conn: Conn, move_ids: Collection[MoveId]) -> list[Change]:
    """Believe prices that were held, all or none: they are followed, and their routes used again.

    Raises `MoveNotHeld`, or `SoldBelowCost` where the rate is a person's and customers would pay less.
    """
    with conn.transaction():  # a refusal leaves nothing behind, also where the caller goes on
        costs = _decided(conn, move_ids, MoveState.APPROVED)
        ids = [row[0] for row in SQL["services_of_routes"](conn, ids=list(costs))]
        pairs = []
        for before in queries.sheets(conn, ids).values():
            after = before
            for route in before.routes:
                if route.id in costs:
                    after = rules.approved(after, route.id, costs[route.id])
            pairs.append((before, after))
        return storing.store(conn, pairs)


def refuse_moves(conn: Conn, move_ids: Collection[MoveId]) -> None:
    """Count with the old prices, and ask no more about these, all or none.

    A route that such a price closed stays closed while it is asked. Raises `MoveNotHeld`.
    """
    with conn.transaction():
        _decided(conn, move_ids, MoveState.REFUSED)


def _decided(conn: Conn, move_ids: Collection[MoveId], state: MoveState) -> dict[RouteId, Micros]:
    """Decide held moves with their services locked, and return the prices asked by their routes."""
    wanted = list(dict.fromkeys(move_ids))
    storing.lock(conn, [row[0] for row in SQL["services_of_moves"](conn, ids=wanted)])
    decided = {row[0]: row[1:] for row in SQL["decide_moves"](conn, ids=wanted, state=state)}
    for move_id in wanted:
        if move_id not in decided:
            raise MoveNotHeld(move=move_id)
    return dict(decided.values())
