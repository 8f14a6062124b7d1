"""`panelry provider`."""

from typing import Annotated, Any

import typer

from panelry.ops.command import command
from panelry.ops.session import CommandFailed, Session, check_text

app = typer.Typer(help="The upstream panels that orders are bought from.", no_args_is_help=True)

PRIVATE = ". Where that is meant: PANELRY_PROVIDERS_PRIVATE=1, here and where the engine runs."
Name = Annotated[str, typer.Argument(help="What you call it.")]


@command(app, "add")
def add(
    session: Session,
    name: Name,
    url: Annotated[str, typer.Argument(help="Its API's address, such as https://panel.example/api/v2.")],
    *,
    key: Annotated[str, typer.Option(help="Our key there; stored sealed.")],
    dialect: Annotated[
        str, typer.Option(help="panel_v2, or panelry where it is another Panelry.")
    ] = "panel_v2",
) -> None:
    """Add a provider."""
    from panelry.connectors import addresses
    from panelry.domain import providers

    objection = addresses.for_providers(session.settings).objection(url)
    if objection:
        raise CommandFailed(f"{url} may not be called: {objection}{PRIVATE}")
    check_text("NAME", name, most=100)
    check_text("--key", key, most=500)
    with session.pool() as pool, pool.transaction() as conn:
        providers.add(conn, session.vault, name, url=url, key=key, dialect=dialect)
    session.say({"provider": name}, f"{name} is added. Try it: panelry provider test {name}")


@command(app, "test")
def test(session: Session, name: Name) -> None:
    """Ask a provider for our balance and its list; changes nothing."""
    from panelry.domain import money, providers
    from panelry.ops.calling import call

    with session.pool() as pool:
        with pool.transaction() as conn:
            provider = providers.by_name(conn, session.vault, name)
        balance = call(session.settings, provider, lambda connector: connector.balance())
        services = call(session.settings, provider, lambda connector: connector.services())
    left = money.text(money.balance_micros(balance.amount))
    session.say({"provider": name, "balance": left, "currency": balance.currency, "services": len(services)})


@command(app, "list")
def list_(session: Session) -> None:
    """List the providers."""
    from panelry.domain import providers
    from panelry.ops.tables import table

    with session.pool() as pool, pool.transaction() as conn:
        rows = [_row(report) for report in providers.reports(conn, session.vault)]
    session.say(
        {"providers": rows}, table(rows, empty="No provider yet: panelry provider add NAME URL --key KEY")
    )


def _row(report: Any) -> dict[str, Any]:
    from panelry.domain import money

    provider = report.provider
    return {
        "name": provider.name,
        "url": provider.url,
        "dialect": provider.dialect.name,
        "state": provider.state,
        "pause_reason": report.pause_reason,
        "balance": None if report.balance_micros is None else money.text(report.balance_micros),
        "currency": provider.currency,
        "synced_at": report.synced_at.isoformat() if report.synced_at else None,
    }
