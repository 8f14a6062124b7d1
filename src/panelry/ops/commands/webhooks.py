"""`panelry webhook`."""

from typing import Annotated, Any

import typer

from panelry.ops.command import command
from panelry.ops.session import CommandFailed, Session

app = typer.Typer(help="Customers' endpoints, and what is delivered to them.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The e-mail address of the account's log-in.")]
Id = Annotated[str, typer.Argument(metavar="WEBHOOK", help="Its id, as whk_….")]


@command(app, "add")
def add(
    session: Session,
    email: Email,
    url: Annotated[
        str, typer.Argument(help="Where events are posted to, such as https://shop.example/hook.")
    ],
    *,
    events: Annotated[str, typer.Option(help="As order.completed,balance.low; all by default.")] = "",
) -> None:
    """Register an endpoint, one of five that belong to no key: the only time that its secret is shown."""
    import asyncio

    from panelry.connectors import addresses, endpoints
    from panelry.domain import accounts, ids, webhooks

    asyncio.run(endpoints.check(url, addresses.for_webhooks(session.settings)))
    wanted = [event.strip() for event in events.split(",") if event.strip()]
    with session.pool() as pool, pool.transaction() as conn:
        owner = accounts.by_email(conn, email).id
        added = webhooks.add(conn, session.vault, owner, url=url, events=wanted)
    shown = {"webhook": ids.show(ids.WEBHOOK, added.id), "url": added.url, "events": list(added.events)}
    session.say({**shown, "secret": added.secret})


@command(app, "list")
def list_(session: Session, email: Email) -> None:
    """List an account's endpoints, oldest first, with how they did last."""
    from panelry.domain import accounts, webhooks
    from panelry.ops.tables import table

    with session.pool() as pool, pool.transaction() as conn:
        rows = [_row(webhook) for webhook in webhooks.of_account(conn, accounts.by_email(conn, email).id)]
    shown = [{**row, "events": len(row["events"])} for row in rows]
    session.say({"webhooks": rows}, table(shown, empty=f"No endpoint yet: panelry webhook add {email} URL"))


@command(app, "remove")
def remove(session: Session, webhook: Id) -> None:
    """Remove an endpoint; what waits for it is given up."""
    from panelry.domain import webhooks

    with session.pool() as pool, pool.transaction() as conn:
        found = find(conn, webhook)
        webhooks.remove(conn, found.account_id, found.id)
    session.say({"removed": webhook}, f"{webhook} is removed.")


@command(app, "test")
def test(session: Session, webhook: Id) -> None:
    """Send `webhook.test` to an endpoint now."""
    from panelry.domain import ids, webhooks

    with session.pool() as pool, pool.transaction() as conn:
        found = find(conn, webhook)
        event = webhooks.test(conn, found.account_id, found.id, actor="operator")
    session.say({"webhook": webhook, "event": ids.show(ids.EVENT, event)})


@command(app, "rotate")
def rotate(session: Session, webhook: Id) -> None:
    """Give an endpoint another secret, the only time that it is shown; for 24 hours the former one signs, too."""
    from panelry.domain import webhooks

    with session.pool() as pool, pool.transaction() as conn:
        found = find(conn, webhook)
        secret = webhooks.rotate_secret(conn, session.vault, found.account_id, found.id)
    session.say({"webhook": webhook, "secret": secret})


@command(app, "disable")
def disable(session: Session, webhook: Id) -> None:
    """Send nothing more to an endpoint; what waits for it is given up."""
    from panelry.domain import webhooks

    with session.pool() as pool, pool.transaction() as conn:
        webhooks.disable(conn, [find(conn, webhook).id], reason=webhooks.Reason.OWNER)
    session.say({}, f"{webhook} is told nothing more.")


@command(app, "enable")
def enable(session: Session, webhook: Id) -> None:
    """Send to a disabled endpoint what happens from now on."""
    from panelry.domain import webhooks

    with session.pool() as pool, pool.transaction() as conn:
        found = find(conn, webhook)
        webhooks.enable(conn, found.account_id, found.id)
    session.say({}, f"{webhook} is told what happens from now on.")


def find(conn: Any, shown: str) -> Any:
    """Return the endpoint with this id, whosever it is. Raises `CommandFailed` or `NoSuchWebhook`."""
    from panelry.domain import ids, webhooks

    id_ = ids.parse(ids.WEBHOOK, shown)
    if id_ is None:
        raise CommandFailed(f"{shown} is not a webhook id")
    return webhooks.find(conn, webhooks.WebhookId(id_))


def _row(webhook: Any) -> dict[str, Any]:
    from panelry.domain import ids

    tried, succeeded = webhook.last_attempt_at, webhook.last_success_at
    return {
        "webhook": ids.show(ids.WEBHOOK, webhook.id),
        "url": webhook.url,
        "events": list(webhook.events),
        "state": str(webhook.state),
        "reason": webhook.reason,
        "last_result": webhook.last_result,
        "last_attempt_at": tried.isoformat() if tried else None,
        "last_success_at": succeeded.isoformat() if succeeded else None,
        "created_at": webhook.created_at.isoformat(),
    }
