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
    markup_fixed: Annotated[str, typer.Option(help="And this amount on top, per rate.")] = "0",
    rounding: Annotated[str, typer.Option(help="Rates are rounded up to multiples of it.")] = "0.000001",
    currency_rate: Annotated[
        str | None, typer.Option(help="What one unit of its currency is worth in ours; kept.")
    ] = None,
) -> None:
    """Read a provider's list and put services from it on sale, at rates that follow its prices."""
    from panelry.domain import catalog, money

    margin = catalog.Margin(
        percent=Decimal(money.parse(markup)) / money.UNIT,
        fixed_micros=money.parse(markup_fixed),
        rounding_micros=money.parse(rounding),
    )
    rate = Decimal(money.parse(currency_rate)) / money.UNIT if currency_rate is not None else None
    chosen = None if services == "all" else [text.strip() for text in services.split(",") if text.strip()]
    if chosen == [] or (rate is not None and rate <= 0):
        raise CommandFailed("--currency-rate must be above zero, --services must name at least one")
    catalog.check_margin(margin)
    with session.pool() as pool:
        found, _ = _read(session, pool, provider)
        with pool.transaction() as conn:
            imported = catalog.import_services(
                conn, found.id, chosen=chosen, margin=margin, currency_rate=rate
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
    *,
    believe: Annotated[
        bool, typer.Option("--believe", help="Believe its list though more than half of it is gone.")
    ] = False,
) -> None:
    """Read providers' lists anew and tell what changed; one that fails keeps no other from being read."""
    from panelry.domain import providers
    from panelry.domain.refusals import PermanentFailure, TemporaryFailure

    if believe and provider is None:
        raise typer.BadParameter("say whose list is to be believed", param_hint="--believe")
    counts: dict[str, int] = {}
    failed: dict[str, str] = {}
    changes: list[dict[str, Any]] = []
    with session.pool() as pool:
        with pool.transaction() as conn:
            names = [provider] if provider else [p.name for p in providers.every(conn, session.vault)]
        for name in names:
            try:
                _, synced = _read(session, pool, name, believe=believe)
            except (TemporaryFailure, PermanentFailure) as failure:
                failed[name] = str(failure)
            else:
                counts[name] = synced.services
                changes += [{"provider": name, **change_row(change)} for change in synced.changes]
    value = {"synced": counts, "changes": changes}
    if failed:
        reasons = "\n".join(f"{name}: {reason}" for name, reason in failed.items())
        raise CommandFailed(f"not every list was read\n{reasons}", {**value, "failed": failed})
    session.say(value, _report(counts, changes))


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


@command(app, "updates")
def updates(
    session: Session,
    *,
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 100,
    before: Annotated[
        int | None, typer.Option(min=1, max=2**63 - 1, help="Go on from this one; its number is in the JSON.")
    ] = None,
) -> None:
    """Show what customers are told about changes, newest first."""
    from panelry.domain import catalog
    from panelry.ops.tables import table

    with session.pool() as pool, pool.transaction() as conn:
        rows = [
            {
                "update": update.id,
                "at": update.at.isoformat(),
                "service": update.service_id,
                "name": update.name,
                "change": str(update.kind),
                "before": update.before,
                "after": update.after,
            }
            for update in catalog.updates(conn, most=most, before=before)
        ]
    session.say({"updates": rows}, table(rows, empty="Nothing has changed yet."))


def _read(session: Session, pool: Any, name: str, *, believe: bool = False) -> tuple[Any, Any]:
    """Read a provider's balance and list, let the catalogue follow it; return the provider and what came of it."""
    from panelry.domain import catalog, providers
    from panelry.ops.calling import call

    with pool.transaction() as conn:
        provider = providers.by_name(conn, session.vault, name)
    services = call(session.settings, provider, lambda connector: connector.services())
    balance = call(session.settings, provider, lambda connector: connector.balance())
    percent = session.settings.price_move_percent
    with pool.transaction() as conn:
        synced = catalog.sync(conn, provider.id, services, move_percent=percent, anyway=believe)
        providers.record_balance(conn, provider.id, balance)
    return provider, synced


def change_row(change: Any) -> dict[str, Any]:
    """Return one change as it is shown."""
    return {
        "service": change.service_id,
        "name": change.name,
        "change": str(change.kind),
        "before": change.before,
        "after": change.after,
    }


def _report(counts: dict[str, int], changes: list[dict[str, Any]]) -> str:
    from panelry.ops.tables import table

    if not counts:
        return "There is no provider yet."
    lines = [f"{name}: {count} services" for name, count in counts.items()]
    held = sum(change["change"] == "held" for change in changes)
    asked = [f"Prices that now wait for you: {held}. See: panelry catalog moves"] if held else []
    return "\n".join([*lines, table(changes, empty="Nothing has changed."), *asked])
