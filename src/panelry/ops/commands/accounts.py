"""`panelry account`."""

from typing import Annotated

import typer

from panelry.ops.command import command
from panelry.ops.session import Session, check_text

app = typer.Typer(help="Customers and staff.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The e-mail address of its log-in.")]


@command(app, "create")
def create(
    session: Session,
    email: Email,
    *,
    password: Annotated[str | None, typer.Option(help="Without one nobody can log in yet.")] = None,
    staff: Annotated[bool, typer.Option("--staff", help="May enter the back office.")] = False,
    tier: Annotated[str, typer.Option(help="Standard, Reseller or Agency.")] = "Standard",
) -> None:
    """Make an account with its log-in."""
    from panelry.domain import accounts, ids

    with session.pool() as pool, pool.transaction() as conn:
        made = accounts.create(conn, email, password=password, tier=tier, staff=staff)
    session.say({"account": ids.show(ids.ACCOUNT, made.id), "email": made.email})


@command(app, "credit")
def credit(
    session: Session,
    email: Email,
    amount: Annotated[str, typer.Argument(help="Such as 12.50.")],
    *,
    reason: Annotated[str, typer.Option(help="Why, for the books.")],
    reference: Annotated[str | None, typer.Option(help="The same reference twice credits once.")] = None,
) -> None:
    """Add money to a wallet by hand: a deposit, which may move the account up a tier."""
    from panelry.domain import accounts, billing, money

    check_text("--reason", reason, most=500)
    if reference is not None:
        check_text("--reference", reference, most=200)
    micros = money.parse(amount)
    with session.pool() as pool, pool.transaction() as conn:
        balance = billing.deposit(
            conn,
            accounts.by_email(conn, email).id,
            micros,
            gateway="manual",
            reason=reason,
            actor="operator",
            reference=f"manual {reference}" if reference else None,
        )
    session.say({"balance": money.text(balance)})


@command(app, "set")
def set_(
    session: Session,
    email: Email,
    *,
    low_balance: Annotated[
        str,
        typer.Option(metavar="AMOUNT|off", help="Tell its endpoints (balance.low) when it falls below this."),
    ],
) -> None:
    """Set from which balance on its owner is warned."""
    from panelry.domain import accounts, ledger, money

    low = None if low_balance == "off" else money.parse(low_balance)
    with session.pool() as pool, pool.transaction() as conn:
        ledger.set_low_balance(conn, accounts.by_email(conn, email).id, low)
    session.say({"low_balance": None if low is None else money.text(low)})


@command(app, "suspend")
def suspend(session: Session, email: Email) -> None:
    """Let an account do nothing from its next request on."""
    from panelry.domain import accounts

    with session.pool() as pool, pool.transaction() as conn:
        accounts.suspend(conn, accounts.by_email(conn, email).id)
    session.say({}, f"{email} is suspended.")


@command(app, "resume")
def resume(session: Session, email: Email) -> None:
    """Let a suspended account act again."""
    from panelry.domain import accounts

    with session.pool() as pool, pool.transaction() as conn:
        accounts.resume(conn, accounts.by_email(conn, email).id)
    session.say({}, f"{email} may act again.")


@command(app, "tier")
def tier(
    session: Session, email: Email, name: Annotated[str, typer.Argument(metavar="TIER", help="Its name.")]
) -> None:
    """Put an account into a tier, higher or lower; its deposits may still move it up."""
    from panelry.domain import accounts

    with session.pool() as pool, pool.transaction() as conn:
        accounts.set_tier(conn, accounts.by_email(conn, email).id, name)
    session.say({}, f"{email} is in {name}.")
