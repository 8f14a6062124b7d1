"""`panelry route`."""

from decimal import Decimal
from typing import Annotated, Literal

import typer

from panelry.ops.command import command
from panelry.ops.commands import service as services
from panelry.ops.session import CommandFailed, Session

app = typer.Typer(help="The ways in which a service is bought.", no_args_is_help=True)
Priority = Annotated[int, typer.Option(help="The lowest is tried first.")]


@command(app, "add")
def add(
    session: Session,
    service: Annotated[int, typer.Argument(min=1, max=2**31 - 1, help="Our service.")],
    provider: Annotated[str, typer.Argument(help="The provider's name.")],
    provider_service: Annotated[
        str, typer.Argument(help="Its id for the service, from its list as last read.")
    ],
    *,
    priority: Priority = 100,
    currency_rate: Annotated[
        str | None, typer.Option(help="What one unit of its currency is worth in ours; kept.")
    ] = None,
) -> None:
    """Let a service be bought in one more way; it stands in where the routes before it cannot deliver."""
    from panelry.domain import catalog, money, providers

    rate = Decimal(money.parse(currency_rate)) / money.UNIT if currency_rate is not None else None
    if rate is not None and rate <= 0:
        raise CommandFailed("--currency-rate must be above zero")
    number = catalog.ServiceId(service)
    with session.pool() as pool, pool.transaction() as conn:
        found = providers.by_name(conn, session.vault, provider)
        route_id = catalog.add_route(
            conn, number, found.id, provider_service, priority=priority, currency_rate=rate
        )
        sheet = catalog.sheets(conn, [number])[number]
    [route] = [services.route_row(route) for route in sheet.routes if route.id == route_id]
    value = {**route, "service": service, "rate": money.text(sheet.rate_micros)}
    session.say(value, f"Route {route_id}: customers pay {value['rate']}, it costs {value['cost']} there.")


@command(app, "set")
def set_(
    session: Session,
    route: Annotated[
        int, typer.Argument(min=1, max=2**31 - 1, help="Its number, as `panelry service show` shows it.")
    ],
    *,
    state: Annotated[
        Literal["on", "off"] | None,
        typer.Option(help="A route that you switch off stays off until you switch it on."),
    ] = None,
    priority: Annotated[int | None, typer.Option(help="The lowest is tried first.")] = None,
) -> None:
    """Use a route or not, or sooner or later than others."""
    from panelry.domain import catalog

    with session.pool() as pool, pool.transaction() as conn:
        sheet = catalog.set_route(
            conn, catalog.RouteId(route), on=None if state is None else state == "on", priority=priority
        )
    [value] = [services.route_row(found) for found in sheet.routes if found.id == route]
    session.say(value)
