"""`panelry coupon`."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import typer

from panelry.ops.command import command
from panelry.ops.session import Session

app = typer.Typer(help="Money off orders.", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="What customers enter; small letters count as capitals.")]
Limit = Annotated[int | None, typer.Option(min=1, max=2_147_483_647, help="How often, over all customers.")]
Instant = datetime | None
FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@command(app, "create")
def create(  # noqa: PLR0913 (a command has as many as it has options)
    session: Session,
    code: Code,
    *,
    percent: Annotated[str | None, typer.Option(help="How much of the charge; at most 100.")] = None,
    fixed: Annotated[str | None, typer.Option(help="Or this amount, such as 5.00.")] = None,
    limit: Limit = None,
    per_user: Annotated[int | None, typer.Option(min=1, max=2_147_483_647, help="How often, each.")] = None,
    minimum: Annotated[str, typer.Option(help="Only for orders that cost this much or more.")] = "0",
    services: Annotated[str, typer.Option(help="Only for these services, as 1,2,3.")] = "",
    categories: Annotated[
        list[str] | None, typer.Option(help="Only for this category, by name; may be given several times.")
    ] = None,
    starts: Annotated[Instant, typer.Option(formats=FORMATS, help="From then on (UTC).")] = None,
    ends: Annotated[Instant, typer.Option(formats=FORMATS, help="Until then (UTC).")] = None,
) -> None:
    """Make a coupon. With services and categories it is good for what is in either."""
    from panelry.domain import coupons, money

    with session.pool() as pool, pool.transaction() as conn:
        terms = coupons.Terms(
            percent=None if percent is None else Decimal(money.parse(percent)) / money.UNIT,
            fixed_micros=None if fixed is None else money.parse(fixed),
            minimum_charge_micros=money.parse(minimum),
            most_uses=limit,
            most_per_account=per_user,
            services=frozenset(_numbers(services)),
            categories=coupons.category_ids(conn, categories or []),
            starts_at=starts and starts.replace(tzinfo=UTC),
            ends_at=ends and ends.replace(tzinfo=UTC),
        )
        made = coupons.create(conn, code, terms)
    session.say({"coupon": made}, f"{made} may be used.")


@command(app, "list")
def list_(session: Session) -> None:
    """List the coupons, newest first, with how often they were used."""
    from panelry.domain import coupons
    from panelry.ops.tables import table

    with session.pool() as pool, pool.transaction() as conn:
        rows = coupons.every(conn)
    shown = [
        {
            name: ", ".join(map(str, value)) if isinstance(value, list) else value
            for name, value in row.items()
        }
        for row in rows
    ]
    session.say(
        {"coupons": rows}, table(shown, empty="No coupon yet: panelry coupon create CODE --percent N")
    )


@command(app, "off")
def off(session: Session, code: Code) -> None:
    """Let a coupon be used no more; orders that used it keep what it took off."""
    from panelry.domain import coupons

    with session.pool() as pool, pool.transaction() as conn:
        turned_off = coupons.turn_off(conn, code)
    session.say({}, f"{turned_off} may not be used any more.")


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts):
        raise typer.BadParameter("it must be numbers, as 1,2,3", param_hint="--services")
    return [int(part) for part in parts]
