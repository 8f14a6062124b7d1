"""What people change about services and the routes by which they are bought."""

from decimal import Decimal
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import providers
from panelry.domain.catalog import queries, rules
from panelry.domain.catalog.operations import importing, storing
from panelry.domain.catalog.values import (
    ProviderServiceNotFound,
    RouteExists,
    RouteId,
    RouteUnclear,
    ServiceEdit,
    ServiceId,
    Sheet,
    TypesDiffer,
    UnknownRoute,
    UnknownService,
)
from panelry.domain.providers import ProviderId

SQL = Statements(Path(__file__).parents[1] / "statements.sql")


def set_service(conn: Conn, service_id: ServiceId, edit: ServiceEdit) -> Sheet:
    """Change a service as a person wishes, wholly or not at all; return it as it then is.

    Raises `UnknownService`, `InvalidValue` or `SoldBelowCost`.
    """
    before = _locked(conn, service_id)
    storing.store(conn, [(before, rules.edited(before, edit))])
    return queries.sheets(conn, [service_id])[service_id]


def add_route(
    conn: Conn,
    service_id: ServiceId,
    provider_id: ProviderId,
    provider_service: str,
    *,
    priority: int = 100,
    currency_rate: Decimal | None = None,
) -> RouteId:
    """Let a service be bought in one more way, after the routes of lower `priority` and older ones of the same.

    What the new way costs is what the provider's list, as last read, says. Raises `UnknownService`,
    `ProviderServiceNotFound`, `TypesDiffer`, `RouteUnclear`, `RouteExists`, `InvalidValue`, `SoldBelowCost` where
    customers would pay less than it costs, or `CurrencyRateMissing` as `import_services`.
    """
    rules.check_priority(priority)
    with conn.transaction():  # a refusal leaves nothing behind, also where the caller goes on
        before = _locked(conn, service_id)
        row = {row.service: row for row in providers.snapshot(conn, provider_id)}.get(provider_service)
        if row is None:
            raise ProviderServiceNotFound(service=provider_service)
        if row.type != before.type:
            raise TypesDiffer(ours=before.type, theirs=row.type)
        said = rules.believed(
            row.type,
            rate_micros=row.rate_micros,
            minimum=row.minimum,
            maximum=row.maximum,
            rate_per=before.rate_per,
        )
        if said.cost_micros is None:
            raise RouteUnclear(service=provider_service)
        importing.worth_of_currency(conn, provider_id, currency_rate)
        added = SQL["insert_route"](
            conn,
            service_id=service_id,
            provider_id=provider_id,
            provider_service=provider_service,
            priority=priority,
            cost=said.cost_micros,
            minimum=said.minimum,
            maximum=said.maximum,
        ).fetchone()
        if added is None:
            raise RouteExists(service=service_id, provider_service=provider_service)
        route_id = RouteId(added[0])
        after = rules.with_route(before, queries.sheets(conn, [service_id])[service_id], route_id)
        storing.store(conn, [(before, after)])
    return route_id


def set_route(conn: Conn, route_id: RouteId, *, on: bool | None = None, priority: int | None = None) -> Sheet:
    """Use a route or not, or sooner or later than others, as a person wishes; return its service as it then is.

    What a person switched off stays off until a person switches it on. Raises `UnknownRoute`, `InvalidValue`, or
    `SoldBelowCost` where customers pay less than its provider asks.
    """
    ids = [row[0] for row in SQL["services_of_routes"](conn, ids=[route_id])]
    if not ids:
        raise UnknownRoute(route=route_id)
    before = _locked(conn, ids[0])
    storing.store(conn, [(before, rules.rerouted(before, route_id, on=on, priority=priority))])
    return queries.sheets(conn, ids)[ids[0]]


def _locked(conn: Conn, service_id: ServiceId) -> Sheet:
    found = storing.lock(conn, [service_id])
    if service_id not in found:
        raise UnknownService(service=service_id)
    return found[service_id]
