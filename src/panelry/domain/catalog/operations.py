"""All that changes what is sold and how it is bought."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import providers
from panelry.domain.catalog import rules
from panelry.domain.catalog.values import Imported, ProviderServiceNotFound, RouteId, ServiceId
from panelry.domain.providers import ProviderId, SnapshotRow

SQL = Statements.beside(__file__)
DEFAULT_CATEGORY = "Other"


def import_services(
    conn: Conn, provider_id: ProviderId, *, chosen: Sequence[str] | None, markup_percent: Decimal = Decimal(0)
) -> list[Imported]:
    """Put services of a provider's list, as last read, into the catalogue; `chosen=None` takes all.

    What is in the catalogue already stays as it is and is listed too. Drip-feed is not offered yet. Raises
    `ProviderServiceNotFound` before anything is changed.
    """
    rows = {row.service: row for row in providers.snapshot(conn, provider_id)}
    wanted = list(rows) if chosen is None else list(dict.fromkeys(chosen))
    for service in wanted:
        if service not in rows:
            raise ProviderServiceNotFound(service=service)
    known = {row[0]: row for row in SQL["bought_as"](conn, provider_id=provider_id)}
    missing = [rows[service] for service in wanted if service not in known]
    SQL["add_categories"](
        conn, names=list(dict.fromkeys(row.category or DEFAULT_CATEGORY for row in missing))
    )
    [currency_rate] = SQL["provider_rate"](conn, provider_id=provider_id).fetchall()[0]
    added = {row.service: _add(conn, provider_id, row, currency_rate, markup_percent) for row in missing}
    if added:
        SQL["raise_revision"](conn)
    return [added.get(service) or _known(*known[service]) for service in wanted]


def close_routes(conn: Conn, route_ids: Collection[RouteId]) -> None:
    """Buy no longer by these routes."""
    if route_ids:
        SQL["close_routes"](conn, ids=list(route_ids))


def _add(
    conn: Conn, provider_id: ProviderId, row: SnapshotRow, currency_rate: Decimal, markup_percent: Decimal
) -> Imported:
    sale = rules.for_sale(row, currency_rate=currency_rate, markup_percent=markup_percent)
    [service_id] = SQL["insert_service"](
        conn,
        provider_id=provider_id,
        provider_service=row.service,
        category=row.category or DEFAULT_CATEGORY,
        name=row.name,
        description=row.description,
        type=sale.type,
        rate=sale.rate_micros,
        rate_per=sale.rate_per,
        minimum=sale.minimum,
        maximum=sale.maximum,
        dripfeed=False,
        refill=row.refill,
        cancel=row.cancel,
        average_time=row.average_time,
        state="on_sale" if sale.on_sale else "off_sale",
    ).fetchall()[0]
    return Imported(
        service=ServiceId(service_id), provider_service=row.service, name=row.name, on_sale=sale.on_sale
    )


def _known(provider_service: str, service_id: int, name: str, on_sale: bool) -> Imported:  # noqa: FBT001 (a row)
    return Imported(
        service=ServiceId(service_id), provider_service=provider_service, name=name, on_sale=on_sale
    )
