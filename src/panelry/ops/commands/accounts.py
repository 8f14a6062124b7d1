"""`panelry account` and `panelry key`."""

from typing import Annotated

import typer

from panelry.ops.command import command
from panelry.ops.session import Session, check_text

account = typer.Typer(help="Customers and staff.", no_args_is_help=True)
key = typer.Typer(help="API keys.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The e-mail address of its log-in.")]


@command(account, "create")
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


@command(account, "credit")
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


@command(account, "suspend")
def suspend(session: Session, email: Email) -> None:
    """Let an account do nothing from its next request on."""
    from panelry.domain import accounts

    with session.pool() as pool, pool.transaction() as conn:
        accounts.suspend(conn, accounts.by_email(conn, email).id)
    session.say({}, f"{email} is suspended.")


@command(account, "resume")
def resume(session: Session, email: Email) -> None:
    """Let a suspended account act again."""
    from panelry.domain import accounts

    with session.pool() as pool, pool.transaction() as conn:
        accounts.resume(conn, accounts.by_email(conn, email).id)
    session.say({}, f"{email} may act again.")


@command(key, "create")
def create_key(
    session: Session,
    email: Email,
    *,
    label: Annotated[str, typer.Option(help="To tell keys apart.")] = "",
    per_minute: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Requests a minute.")] = None,
) -> None:
    """Issue an API key: the only time that it is shown."""
    from panelry.domain import accounts

    if label:
        check_text("--label", label, most=100)
    with session.pool() as pool, pool.transaction() as conn:
        owner = accounts.by_email(conn, email).id
        issued = accounts.create_key(conn, owner, label=label, per_minute=per_minute)
    session.say({"key": issued.key, "prefix": issued.prefix})


@command(key, "revoke")
def revoke_key(
    session: Session, prefix: Annotated[str, typer.Argument(help="The first 12 characters of the key.")]
) -> None:
    """End a key: the very next request with it is refused."""
    from panelry.domain import accounts

    with session.pool() as pool, pool.transaction() as conn:
        found = accounts.key_by_prefix(conn, prefix)
        accounts.revoke_key(conn, found.account_id, found.id)
    session.say({}, f"{prefix}… is revoked.")
