"""`panelry tier`."""

from decimal import Decimal
from typing import Annotated, Any

import typer

from panelry.ops.command import command
from panelry.ops.session import CommandFailed, Session

app = typer.Typer(help="Levels of customers, reached by their deposits.", no_args_is_help=True)


@command(app, "list")
def list_(session: Session) -> None:
    """List the tiers, the lowest first."""
    from panelry.domain import accounts
    from panelry.ops.tables import table

    with session.pool() as pool, pool.transaction() as conn:
        rows = [_row(tier) for tier in accounts.tiers(conn)]
    session.say({"tiers": rows}, table(rows, empty="There is no tier."))


@command(app, "set")
def set_(
    session: Session,
    name: Annotated[str, typer.Argument(help="Its name.")],
    *,
    per_minute: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000, help="Requests a minute, over all keys of an account."),
    ] = None,
    threshold: Annotated[str | None, typer.Option(help="The lifetime deposits that reach it.")] = None,
    discount: Annotated[str | None, typer.Option(help="How many per cent come off every rate.")] = None,
) -> None:
    """Change a tier. Accounts stay where they are; the next deposit of each counts by what is set now."""
    from panelry.domain import accounts, catalog, money

    if (per_minute, threshold, discount) == (None, None, None):
        raise CommandFailed("say what to change: --per-minute, --threshold or --discount")
    with session.pool() as pool, pool.transaction() as conn:
        accounts.change_tier(
            conn,
            name,
            per_minute=per_minute,
            threshold=None if threshold is None else money.parse(threshold),
            discount_percent=None if discount is None else Decimal(money.parse(discount)) / money.UNIT,
        )
        [tier] = [tier for tier in accounts.tiers(conn) if tier.name == name]
        below = catalog.count_below_cost(conn, tier.discount_percent)
    value = {**_row(tier), "below_cost": below}
    words = "\n".join(f"{field}: {text}" for field, text in _row(tier).items())
    session.say(value, words + (f"\nServices that {name} now buys below cost: {below}" if below else ""))


def _row(tier: Any) -> dict[str, Any]:
    from panelry.domain import money

    return {
        "tier": tier.name,
        "per_minute": tier.per_minute,
        "threshold": money.text(tier.threshold_micros),
        "discount": f"{tier.discount_percent.normalize():f}",
    }
