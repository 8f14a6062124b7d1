"""Keeping the catalogue in step with what providers list."""

from collections.abc import Collection
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain.catalog.values import RouteId

SQL = Statements(Path(__file__).parents[1] / "statements.sql")


def close_routes(conn: Conn, route_ids: Collection[RouteId]) -> None:
    """Buy no longer by these routes."""
    if route_ids:
        SQL["close_routes"](conn, ids=list(route_ids))
        SQL["raise_revision"](conn)
