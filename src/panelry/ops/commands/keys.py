"""`panelry key`."""

import re
from typing import Annotated, Any, Final

import typer

from panelry.ops.command import command
from panelry.ops.session import Session

app = typer.Typer(help="API keys.", no_args_is_help=True)

MOST_PER_MINUTE: Final = 1_000_000
Email = Annotated[str, typer.Argument(help="The e-mail address of the account's log-in.")]
Prefix = Annotated[str, typer.Argument(help="The first 12 characters of the key.")]


@command(app, "create")
def create(
    session: Session,
    email: Email,
    *,
    label: Annotated[str, typer.Option(help="To tell keys apart.")] = "",
    per_minute: Annotated[int | None, typer.Option(min=1, max=1_000_000, help="Requests a minute.")] = None,
) -> None:
    """Issue an API key: the only time that it is shown."""
    from panelry.domain import accounts

    with session.pool() as pool, pool.transaction() as conn:
        owner = accounts.by_email(conn, email).id
        issued = accounts.create_key(conn, owner, label=label, per_minute=per_minute)
    session.say({"key": issued.key, "prefix": issued.prefix})


@command(app, "list")
def list_(session: Session, email: Email) -> None:
    """List an account's keys that work, the oldest first."""
    from panelry.domain import accounts
    from panelry.ops.tables import table

    with session.pool() as pool, pool.transaction() as conn:
        rows = [_row(key) for key in accounts.keys(conn, accounts.by_email(conn, email).id)]
    session.say({"keys": rows}, table(rows, empty=f"No key yet: panelry key create {email}"))


@command(app, "rotate")
def rotate(session: Session, prefix: Prefix) -> None:
    """Give a key another value, the only time that it is shown; the old one is refused from the very next request on."""
    from panelry.domain import accounts

    with session.pool() as pool, pool.transaction() as conn:
        found = accounts.key_by_prefix(conn, prefix)
        issued = accounts.rotate_key(conn, found.account_id, found.id, prefix=prefix)
    session.say({"key": issued.key, "prefix": issued.prefix})


@command(app, "set")
def set_(
    session: Session,
    prefix: Prefix,
    *,
    label: Annotated[str | None, typer.Option(help="To tell keys apart.")] = None,
    per_minute: Annotated[
        str | None,
        typer.Option(help="Requests a minute; none: as many as every key without a limit of its own."),
    ] = None,
) -> None:
    """Give a key another label or limit; it keeps its value."""
    from panelry.domain import accounts

    limit = _limit(per_minute) if per_minute is not None else None
    with session.pool() as pool, pool.transaction() as conn:
        found = accounts.key_by_prefix(conn, prefix)
        accounts.change_key(
            conn,
            found.account_id,
            found.id,
            label=found.label if label is None else label,
            per_minute=found.per_minute if per_minute is None else limit,
        )
        changed = accounts.key_by_prefix(conn, prefix)
    session.say(_row(changed))


@command(app, "revoke")
def revoke(session: Session, prefix: Prefix) -> None:
    """End a key: the very next request with it is refused. The webhooks that it added are disabled."""
    from panelry.domain import accounts, webhooks

    with session.pool() as pool, pool.transaction() as conn:
        found = accounts.key_by_prefix(conn, prefix)
        webhooks.revoke_key(conn, found.account_id, found.id)
    session.say({}, f"{prefix}… is revoked.")


def _limit(text: str) -> int | None:
    if text == "none":
        return None
    if not re.fullmatch(r"[0-9]{1,7}", text, re.ASCII) or not 1 <= int(text) <= MOST_PER_MINUTE:
        raise typer.BadParameter("it must be from 1 to 1000000, or none", param_hint="--per-minute")
    return int(text)


def _row(key: Any) -> dict[str, Any]:
    return {
        "prefix": key.prefix,
        "label": key.label,
        "per_minute": key.per_minute,
        "created_at": key.created_at.isoformat(),
        "rotated_at": key.rotated_at and key.rotated_at.isoformat(),
        "last_used_at": key.last_used_at and key.last_used_at.isoformat(),
    }
