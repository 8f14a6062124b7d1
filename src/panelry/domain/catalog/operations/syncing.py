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
    ServiceId,
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


def approve_move(conn: Conn, move_id: MoveId) -> list[Change]:
    """Believe a price that was held: it is followed, and its route used again.

    Raises `MoveNotHeld`, or `SoldBelowCost` where the rate is a person's and customers would pay less.
    """
    with conn.transaction():  # a refusal leaves nothing behind, also where the caller goes on
        service_id = _lock_service_of(conn, move_id)
        route_id, cost = _decided(conn, move_id, MoveState.APPROVED)
        before = queries.sheets(conn, [service_id])[service_id]
        after = rules.approved(before, route_id, cost)
        return storing.store(conn, [(before, after)])


def refuse_move(conn: Conn, move_id: MoveId) -> None:
    """Count with the old price, and ask no more about this one; a route that it closed stays closed while it is asked.

    Raises `MoveNotHeld`.
    """
    _lock_service_of(conn, move_id)
    _decided(conn, move_id, MoveState.REFUSED)


def _lock_service_of(conn: Conn, move_id: MoveId) -> ServiceId:
    row = SQL["service_of_move"](conn, id=move_id).fetchone()
    if row is None:
        raise MoveNotHeld(move=move_id)
    storing.lock(conn, [row[0]])
    return ServiceId(row[0])


def _decided(conn: Conn, move_id: MoveId, state: MoveState) -> tuple[RouteId, Micros]:
    row = SQL["decide_move"](conn, id=move_id, state=state).fetchone()
    if row is None:
        raise MoveNotHeld(move=move_id)
    return RouteId(row[0]), Micros(row[1])
