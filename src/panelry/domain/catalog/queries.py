"""What can be asked about the catalogue."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from psycopg import Cursor

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain.catalog.rules import discounted
from panelry.domain.catalog.values import (
    ChangeKind,
    HeldMove,
    Listing,
    Margin,
    Move,
    MoveId,
    MoveState,
    Off,
    Route,
    RouteId,
    RouteSheet,
    Service,
    ServiceId,
    Sheet,
    Update,
)
from panelry.domain.money import Micros
from panelry.domain.providers import ProviderId

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


def count_below_cost(conn: Conn, percent: Decimal) -> int:
    """Count the services on sale that a discount of so many per cent sells below what the provider asks.

    Left out are those that somebody allowed to be sold below cost.
    """
    rows = SQL["rates_and_costs"](conn).fetchall()
    return sum(discounted(Micros(rate), percent) < cost for rate, cost in rows)


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
    return {ServiceId(id_): _service(tuple(group)) for id_, group in groupby(rows, key=itemgetter(0))}


@lru_cache(maxsize=10_000)
def _service(rows: tuple[Row, ...]) -> Service:
    """Read a service's rows, or know them again: the same rows are the same service."""
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


def sheets(conn: Conn, service_ids: Iterable[ServiceId]) -> dict[ServiceId, Sheet]:
    """Return services, on sale or not, with their terms and all their routes, best first."""
    rows = SQL["sheets"](conn, ids=list(set(service_ids))).fetchall()
    return {ServiceId(id_): _sheet(list(group)) for id_, group in groupby(rows, key=lambda row: row[0])}


def held_moves(conn: Conn) -> list[HeldMove]:
    """Return the prices that wait for a person, oldest first."""
    return [
        HeldMove(
            id=MoveId(id_),
            route_id=RouteId(route_id),
            service_id=ServiceId(service_id),
            name=name,
            provider=provider,
            provider_service=provider_service,
            before_micros=Micros(before),
            after_micros=Micros(after),
            currency=currency,
            rate_micros=Micros(rate),
            rate_per=rate_per,
            is_open=is_open,
            seen_at=seen_at,
        )
        for (
            id_, route_id, service_id, name, provider, provider_service, before, after, currency, rate, rate_per,
            is_open, seen_at,
        ) in SQL["held_moves"](conn)
    ]  # fmt: skip


def updates(conn: Conn, *, most: int, before: int | None = None) -> list[Update]:
    """Return what customers were told about changes of the catalogue, newest first; `before` is the id to go on from."""
    return [
        Update(
            id=id_,
            service_id=ServiceId(service_id),
            name=name,
            category=category,
            kind=ChangeKind(kind),
            before=was,
            after=now,
            at=at,
        )
        for id_, service_id, name, category, kind, was, now, at in SQL["updates"](
            conn, most=most, before=before
        )
    ]


def _sheet(rows: Sequence[Row]) -> Sheet:
    (
        id_, category, name, description, type_, rate, rate_per, minimum, maximum, dripfeed, refill, cancel, refill_days,
        refill_most, average_time, state, off_reason, follows_prices, below_cost, percent, fixed, rounding,
    ) = rows[0][:22]  # fmt: skip
    return Sheet(
        id=ServiceId(id_),
        category=category,
        name=name,
        description=description,
        type=type_,
        rate_micros=Micros(rate),
        rate_per=rate_per,
        minimum=minimum,
        maximum=maximum,
        dripfeed=dripfeed,
        refill=refill,
        cancel=cancel,
        refill_days=refill_days,
        refill_most=refill_most,
        average_time=average_time,
        off=None if state == "on_sale" else Off(off_reason or Off.STAFF),
        follows_prices=follows_prices,
        margin=Margin(percent=percent, fixed_micros=Micros(fixed), rounding_micros=Micros(rounding)),
        below_cost=below_cost,
        routes=tuple(_route_sheet(row[22:]) for row in rows if row[22] is not None),
    )


def _route_sheet(row: Row) -> RouteSheet:
    (
        id_,
        provider_id,
        provider,
        provider_service,
        worth,
        priority,
        cost,
        minimum,
        maximum,
        state,
        off_reason,
    ) = row[:11]
    move_id, before, after, move_state = row[11:]
    return RouteSheet(
        id=RouteId(id_),
        provider_id=ProviderId(provider_id),
        provider=provider,
        provider_service=provider_service,
        currency_rate=worth,
        priority=priority,
        cost_micros=cost,
        minimum=minimum,
        maximum=maximum,
        off=None if state == "on" else Off(off_reason or Off.STAFF),
        move=None
        if move_id is None
        else Move(id=MoveId(move_id), before_micros=before, after_micros=after, state=MoveState(move_state)),
    )
