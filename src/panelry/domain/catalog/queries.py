"""What can be asked about the catalogue."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from psycopg import Cursor

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain.catalog.values import Listing, Route, RouteId, Service, ServiceId
from panelry.domain.money import Micros

SQL = Statements.beside(__file__)


def revision(conn: Conn) -> int:
    """Return a number that rises with every change of the price list."""
    row = SQL["revision"](conn).fetchone()
    return row[0] if row else 0


def listings(conn: Conn) -> list[Listing]:
    """Return the price list: services on sale, by category position, then service position."""
    return [
        Listing(
            id=ServiceId(id_),
            name=name,
            type=type_,
            category=category,
            rate_micros=Micros(rate),
            rate_per=rate_per,
            minimum=minimum,
            maximum=maximum,
            dripfeed=dripfeed,
            refill=refill,
            cancel=cancel,
            description=description,
            average_time=average_time,
        )
        for (
            id_, name, type_, category, rate, rate_per, minimum, maximum, dripfeed, refill, cancel, description,
            average_time,
        ) in SQL["listings"](conn)
    ]  # fmt: skip


def begin_load(conn: Conn, service_ids: Iterable[ServiceId], *, off_sale_too: bool = False) -> Cursor[Row]:
    """Ask for services with their routes without waiting; `services_from` reads the rows."""
    return SQL["load_services"](conn, ids=list(set(service_ids)), off_sale_too=off_sale_too)


def load(
    conn: Conn, service_ids: Iterable[ServiceId], *, off_sale_too: bool = False
) -> dict[ServiceId, Service]:
    """Return services with their routes, best first."""
    return services_from(begin_load(conn, service_ids, off_sale_too=off_sale_too).fetchall())


def services_from(rows: Sequence[Row]) -> dict[ServiceId, Service]:
    """Read the rows of `load_services`."""
    return {ServiceId(id_): _service(list(group)) for id_, group in groupby(rows, key=lambda row: row[0])}


def _service(rows: Sequence[Row]) -> Service:
    id_, type_, category, rate, rate_per, minimum, maximum, dripfeed, cancel = rows[0][:9]
    return Service(
        id=ServiceId(id_),
        type=type_,
        category=category,
        rate_micros=Micros(rate),
        rate_per=rate_per,
        minimum=minimum,
        maximum=maximum,
        dripfeed=dripfeed,
        cancel=cancel,
        routes=tuple(
            Route(id=RouteId(route), provider_id=provider, provider_service=service, is_open=is_open)
            for *_, route, provider, service, is_open in rows
            if route is not None
        ),
    )
