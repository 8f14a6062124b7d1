"""A provider's list as tests change it, and the services that are bought from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from given import Given, upstream_service
from panelry.database.pool import Conn
from panelry.domain import catalog
from panelry.domain.catalog import Change, Margin, RouteSheet, ServiceId, Sheet, Synced
from panelry.domain.providers import ProviderId, UpstreamService

Rows = Sequence[UpstreamService]
PERCENT = Decimal(25)


@dataclass
class Shelf:
    """One provider; `rows` is its list by the names of its services."""

    conn: Conn
    provider: ProviderId
    rows: dict[str, UpstreamService] = field(default_factory=dict)
    sold: dict[str, ServiceId] = field(default_factory=dict)

    def sync(self, *, anyway: bool = False, **rates: str) -> list[Change]:
        """Read the list, with these new rates first."""
        self.change(**rates)
        return list(self.read(list(self.rows.values()), anyway=anyway).changes)

    def read(self, rows: Rows, *, anyway: bool = False) -> Synced:
        return catalog.sync(self.conn, self.provider, rows, move_percent=PERCENT, anyway=anyway)

    def change(self, **rates: str) -> None:
        for name, rate in rates.items():
            self.alter(name, rate=Decimal(rate))

    def alter(self, name: str, **how: Any) -> None:
        self.rows[name] = replace(self.rows[name], **how)

    def sell(self, *names: str, margin: Margin) -> None:
        made = catalog.import_services(self.conn, self.provider, chosen=names, margin=margin)
        self.sold |= {i.provider_service: i.service for i in made}

    def sheet(self, name: str = "a") -> Sheet:
        return catalog.sheets(self.conn, [self.sold[name]])[self.sold[name]]

    def route(self, name: str = "a") -> RouteSheet:
        [route] = [r for r in self.sheet(name).routes if r.provider_id == self.provider]
        return route

    def rate(self, name: str = "a") -> int:
        return self.sheet(name).rate_micros

    def told(self, name: str = "a") -> list[tuple[str, str, str]]:
        """Return what customers were told about a service, oldest first."""
        found = [u for u in catalog.updates(self.conn, most=1000) if u.service_id == self.sold[name]]
        return [(str(u.kind), u.before, u.after) for u in reversed(found)]

    def moves(self) -> list[tuple[str, str]]:
        """Return what happened to prices that were not followed: the price asked, and its state."""
        query = """SELECT m.after_micros, m.state FROM price_moves m JOIN routes r ON r.id = m.route_id
                   WHERE r.provider_id = %s ORDER BY m.id"""
        rows = self.conn.execute(query, [self.provider]).fetchall()
        return [(str(Decimal(after) / 1_000_000), state) for after, state in rows]

    def held(self, name: str = "a") -> catalog.MoveId:
        [move] = [m for m in catalog.held_moves(self.conn) if m.route_id == self.route(name).id]
        return move.id


def shelf(
    given: Given,
    rows: Rows | None = None,
    *,
    sell: Sequence[str] | None = None,
    margin: Margin = Margin(percent=Decimal(20)),  # noqa: B008 (it is frozen)
) -> Shelf:
    """List these rows at a new provider and sell all of them; by default eight at 1.00, of which a, b and c are sold."""
    listed = [upstream_service(name) for name in "abcdefgh"] if rows is None else rows
    one = Shelf(given.conn, given.provider(), {row.service: row for row in listed})
    one.read(listed)
    if sell is None:
        sell = "abc" if rows is None else list(one.rows)
    one.sell(*sell, margin=margin)
    return one


def everything(conn: Conn) -> list[Any]:
    """Return all that a sync could write but the snapshot and its times."""
    tables = ("services", "routes", "price_moves", "service_updates", "categories", "panel")
    return [conn.execute(f"SELECT * FROM {t} ORDER BY 1".encode()).fetchall() for t in tables]  # noqa: S608 (constants)


def kinds(changes: Sequence[Change]) -> list[str]:
    return [str(change.kind) for change in changes]


def each(rows: Rows, act: Callable[[UpstreamService], UpstreamService]) -> list[UpstreamService]:
    return [act(row) for row in rows]
