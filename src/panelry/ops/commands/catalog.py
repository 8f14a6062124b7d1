"""`panelry catalog`."""

from decimal import Decimal
from typing import Annotated, Any

import typer

from panelry.ops.command import command
from panelry.ops.session import CommandFailed, Session

app = typer.Typer(help="What is sold.", no_args_is_help=True)


@command(app, "import")
def import_(
    session: Session,
    provider: Annotated[str, typer.Argument(help="The provider's name.")],
    *,
    services: Annotated[str, typer.Option(help="Its service ids, as 1,2,3, or all.")] = "all",
    markup: Annotated[str, typer.Option(help="Percent on top of what we pay.")] = "0",
    currency_rate: Annotated[
        str | None, typer.Option(help="What one unit of its currency is worth in ours; kept.")
    ] = None,
) -> None:
    """Read a provider's list and put services from it on sale."""
    from panelry.domain import catalog, money

    percent = Decimal(money.parse(markup)) / money.UNIT
    rate = Decimal(money.parse(currency_rate)) / money.UNIT if currency_rate is not None else None
    chosen = None if services == "all" else [text.strip() for text in services.split(",") if text.strip()]
    if percent < 0 or chosen == [] or (rate is not None and rate <= 0):
        raise CommandFailed(
            "--markup must not be negative, --currency-rate must be above zero, --services must name at least one"
        )
    with session.pool() as pool:
        found = _read(session, pool, provider)
        with pool.transaction() as conn:
            imported = catalog.import_services(
                conn, found.id, chosen=chosen, markup_percent=percent, currency_rate=rate
            )
    rows = [
        {"service": i.service, "provider_service": i.provider_service, "name": i.name, "on_sale": i.on_sale}
        for i in imported
    ]
    off_sale = sum(not i.on_sale for i in imported)
    waiting = f"; {off_sale} of them off sale until a person has looked at them" if off_sale else ""
    session.say({"imported": len(rows), "services": rows}, f"{len(rows)} services imported{waiting}.")


@command(app, "sync")
def sync(
    session: Session,
    provider: Annotated[str | None, typer.Argument(help="One provider; without it all.")] = None,
) -> None:
    """Read providers' lists anew; one that fails keeps no other from being read."""
    from panelry.domain import providers
    from panelry.domain.refusals import PermanentFailure, TemporaryFailure

    with session.pool() as pool:
        with pool.transaction() as conn:
            names = [provider] if provider else [p.name for p in providers.every(conn, session.vault)]
        counts: dict[str, int] = {}
        failed: dict[str, str] = {}
        for name in names:
            try:
                counts[name] = _count(session, pool, name)
            except (TemporaryFailure, PermanentFailure) as failure:
                failed[name] = str(failure)
    if failed:
        reasons = "\n".join(f"{name}: {reason}" for name, reason in failed.items())
        raise CommandFailed(f"not every list was read\n{reasons}", {"synced": counts, "failed": failed})
    lines = [f"{name}: {count} services" for name, count in counts.items()]
    session.say({"synced": counts}, "\n".join(lines) or "There is no provider yet.")


@command(app, "list")
def list_(session: Session) -> None:
    """List what is on sale."""
    from panelry.domain import catalog, money
    from panelry.ops.tables import table

    with session.pool() as pool, pool.transaction() as conn:
        rows = [
            {
                "service": listing.id,
                "category": listing.category,
                "name": listing.name,
                "type": listing.type,
                "rate": money.text(listing.rate_micros),
                "per": listing.rate_per,
                "min": listing.minimum,
                "max": listing.maximum,
            }
            for listing in catalog.listings(conn)
        ]
    session.say({"services": rows}, table(rows, empty="Nothing is on sale: panelry catalog import PROVIDER"))


def _read(session: Session, pool: Any, name: str) -> Any:
    """Read a provider's list into its snapshot and return the provider."""
    from panelry.domain import providers
    from panelry.ops.calling import call

    with pool.transaction() as conn:
        provider = providers.by_name(conn, session.vault, name)
    services = call(session.settings, provider, lambda connector: connector.services())
    balance = call(session.settings, provider, lambda connector: connector.balance())
    with pool.transaction() as conn:
        providers.record_balance(conn, provider.id, balance)
        providers.record_snapshot(conn, provider.id, services)
    return provider


def _count(session: Session, pool: Any, name: str) -> int:
    from panelry.domain import providers

    provider = _read(session, pool, name)
    with pool.transaction() as conn:
        return len(providers.snapshot(conn, provider.id))
