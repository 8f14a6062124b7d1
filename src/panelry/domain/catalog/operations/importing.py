"""Taking services of a provider's list into the catalogue."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import providers
from panelry.domain.catalog import rules
from panelry.domain.catalog.operations import storing
from panelry.domain.catalog.values import (
    Change,
    ChangeKind,
    CurrencyRateMissing,
    Imported,
    Margin,
    NewService,
    ProviderServiceNotFound,
    ServiceId,
)
from panelry.domain.providers import ProviderId

SQL = Statements(Path(__file__).parents[1] / "statements.sql")
AT_COST: Final = Margin()


def import_services(
    conn: Conn,
    provider_id: ProviderId,
    *,
    chosen: Sequence[str] | None,
    margin: Margin = AT_COST,
    currency_rate: Decimal | None = None,
) -> list[Imported]:
    """Put services of a provider's list, as last read, into the catalogue; `chosen=None` takes all.

    Their rates follow the provider's prices with this `margin`. `currency_rate` is the worth of one unit of the
    provider's currency in ours, and is kept. What is in the catalogue already stays as it is and is listed too. Raises
    `ProviderServiceNotFound`, `InvalidValue`, or `CurrencyRateMissing` where the provider counts in another currency
    whose worth nobody told.
    """
    rules.check_margin(margin)
    rows = {row.service: row for row in providers.snapshot(conn, provider_id)}
    wanted = list(rows) if chosen is None else list(dict.fromkeys(chosen))
    for service in wanted:
        if service not in rows:
            raise ProviderServiceNotFound(service=service)
    known = {row[0]: row for row in SQL["bought_as"](conn, provider_id=provider_id)}
    rate = worth_of_currency(conn, provider_id, currency_rate)
    new = {
        service: rules.for_sale(rows[service], currency_rate=rate, margin=margin)
        for service in wanted
        if service not in known
    }
    added = dict(zip(new, add_services(conn, [(s, provider_id, id_) for id_, s in new.items()]), strict=True))
    return [
        Imported(
            service=added[service],
            provider_service=service,
            name=new[service].name,
            on_sale=new[service].on_sale,
        )
        if service in added
        else _known(*known[service])
        for service in wanted
    ]


def worth_of_currency(conn: Conn, provider_id: ProviderId, told: Decimal | None) -> Decimal:
    """Return what one unit of a provider's currency is worth in ours; what a person tells is kept."""
    if told is not None:
        SQL["raise_revision"](conn)  # rates will follow; and whoever locks both locks the provider last
        SQL["set_provider_rate"](conn, provider_id=provider_id, currency_rate=told)
        return told
    rate, currency, is_missing = SQL["provider_rate"](conn, provider_id=provider_id).fetchall()[0]
    if is_missing:
        raise CurrencyRateMissing(currency=currency)
    return Decimal(rate)


def add_services(conn: Conn, wanted: Sequence[tuple[NewService, ProviderId, str]]) -> list[ServiceId]:
    """Put services into the catalogue, each with the provider and the provider's service that it is bought as."""
    if not wanted:
        return []
    SQL["add_categories"](conn, names=list(dict.fromkeys(service.category for service, _, _ in wanted)))
    added = [_insert(conn, *row) for row in wanted]
    storing.tell(
        conn,
        [
            Change(service_id=id_, name=service.name, kind=ChangeKind.NEW, after=rules.rate_text(service))
            for id_, (service, _, _) in zip(added, wanted, strict=True)
            if service.on_sale
        ],
    )
    SQL["raise_revision"](conn)
    return added


def _insert(conn: Conn, service: NewService, provider_id: ProviderId, provider_service: str) -> ServiceId:
    margin = service.margin or AT_COST
    [service_id] = SQL["insert_service"](
        conn,
        provider_id=provider_id,
        provider_service=provider_service,
        category=service.category,
        name=service.name,
        description=service.description,
        type=service.type,
        rate=service.rate_micros,
        rate_per=service.rate_per,
        minimum=service.minimum,
        maximum=service.maximum,
        dripfeed=service.dripfeed,
        refill=service.refill,
        cancel=service.cancel,
        average_time=service.average_time,
        on_sale=service.on_sale,
        follows_prices=service.margin is not None,
        markup_percent=margin.percent,
        markup=margin.fixed_micros,
        rounding=margin.rounding_micros,
        cost=service.purchase.cost_micros,
        route_minimum=service.purchase.minimum,
        route_maximum=service.purchase.maximum,
    ).fetchall()[0]
    return ServiceId(service_id)


def _known(provider_service: str, service_id: int, name: str, on_sale: bool) -> Imported:  # noqa: FBT001 (a row)
    return Imported(
        service=ServiceId(service_id), provider_service=provider_service, name=name, on_sale=on_sale
    )
