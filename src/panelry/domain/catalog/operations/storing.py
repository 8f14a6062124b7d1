"""Locked sheets of services, and what is written when they have changed: shared by all that changes the catalogue."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain.catalog import queries, rules
from panelry.domain.catalog.values import PUBLIC, Change, RouteSheet, ServiceId, Sheet

SQL = Statements(Path(__file__).parents[1] / "statements.sql")


def lock(conn: Conn, service_ids: Iterable[ServiceId]) -> dict[ServiceId, Sheet]:
    """Lock services, and return them as they now stand; ids that no service has are left out."""
    ids = list(set(service_ids))
    SQL["lock_services"](conn, ids=ids)
    return queries.sheets(conn, ids)


def store(conn: Conn, pairs: Iterable[tuple[Sheet, Sheet]]) -> list[Change]:
    """Write what differs between locked services before and after, tell customers, and return all changes.

    Where nothing differs nothing is written.
    """
    changed = [(before, after) for before, after in pairs if before != after]
    if not changed:
        return []
    _rewrite_services(conn, [a for b, a in changed if replace(a, routes=b.routes) != b])
    _rewrite_routes(conn, [(b, a) for before, after in changed for b, a in _routes(before, after) if b != a])
    found = [change for before, after in changed for change in rules.changes(before, after)]
    tell(conn, [change for change in found if change.kind in PUBLIC])
    if any(rules.shown(before) != rules.shown(after) for before, after in changed):
        SQL["raise_revision"](conn)
    return found


def tell(conn: Conn, changes: Sequence[Change]) -> None:
    """Write service updates."""
    if changes:
        SQL["insert_updates"](
            conn,
            service_ids=[c.service_id for c in changes],
            kinds=[str(c.kind) for c in changes],
            befores=[c.before for c in changes],
            afters=[c.after for c in changes],
        )


def _routes(before: Sheet, after: Sheet) -> Iterable[tuple[RouteSheet, RouteSheet]]:
    known = {route.id: route for route in before.routes}
    return [(known[route.id], route) for route in after.routes if route.id in known]


def _rewrite_services(conn: Conn, sheets: Sequence[Sheet]) -> None:
    if not sheets:
        return
    SQL["add_categories"](conn, names=list(dict.fromkeys(sheet.category for sheet in sheets)))
    SQL["rewrite_services"](
        conn,
        ids=[s.id for s in sheets],
        categories=[s.category for s in sheets],
        names=[s.name for s in sheets],
        descriptions=[s.description for s in sheets],
        rates=[s.rate_micros for s in sheets],
        rate_pers=[s.rate_per for s in sheets],
        minimums=[s.minimum for s in sheets],
        maximums=[s.maximum for s in sheets],
        dripfeeds=[s.dripfeed for s in sheets],
        refills=[s.refill for s in sheets],
        cancels=[s.cancel for s in sheets],
        refill_days=[s.refill_days for s in sheets],
        refill_mosts=[s.refill_most for s in sheets],
        average_times=[s.average_time for s in sheets],
        off_reasons=[s.off for s in sheets],
        follow_prices=[s.follows_prices for s in sheets],
        below_costs=[s.below_cost for s in sheets],
        markup_percents=[s.margin.percent for s in sheets],
        markups=[s.margin.fixed_micros for s in sheets],
        roundings=[s.margin.rounding_micros for s in sheets],
    )


def _rewrite_routes(conn: Conn, pairs: Sequence[tuple[RouteSheet, RouteSheet]]) -> None:
    rewritten = [after for before, after in pairs if replace(after, move=before.move) != before]
    if rewritten:
        SQL["rewrite_routes"](
            conn,
            ids=[r.id for r in rewritten],
            priorities=[r.priority for r in rewritten],
            costs=[r.cost_micros for r in rewritten],
            minimums=[r.minimum for r in rewritten],
            maximums=[r.maximum for r in rewritten],
            off_reasons=[r.off for r in rewritten],
        )
    ended = [before.move.id for before, after in pairs if before.move and before.move != after.move]
    if ended:
        SQL["end_moves"](conn, ids=ended)
    begun = [(after.id, after.move) for _, after in pairs if after.move and after.move.id is None]
    if begun:
        SQL["insert_moves"](
            conn,
            route_ids=[route_id for route_id, _ in begun],
            befores=[move.before_micros for _, move in begun],
            afters=[move.after_micros for _, move in begun],
        )
