"""`panelry webhook deliveries` and `panelry webhook redeliver`."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from panelry.ops.command import command
from panelry.ops.commands.webhooks import Id, find
from panelry.ops.session import CommandFailed, Session

STATES = ("waiting", "sending", "delivered", "exhausted")
FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


def add_to(webhook: typer.Typer) -> None:
    """Add what is about deliveries."""
    command(webhook, "deliveries")(deliveries)
    command(webhook, "redeliver")(redeliver)


def deliveries(
    session: Session,
    webhook: Id,
    *,
    state: Annotated[
        str | None, typer.Option(help="Only those waiting, sending, delivered or exhausted.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
) -> None:
    """List what was delivered to an endpoint, or is to be, newest first, with how the last attempts went."""
    from panelry.domain import ids, webhooks
    from panelry.ops.tables import table

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"it must be one of {', '.join(STATES)}", param_hint="--state")
    states = [webhooks.DeliveryState(name) for name in ([state] if state else STATES)]
    with session.pool() as pool, pool.transaction() as conn:
        found = webhooks.deliveries(conn, find(conn, webhook).id, states=states, most=limit)
    rows: list[dict[str, Any]] = [
        {
            "event": ids.show(ids.EVENT, one.event_id),
            "type": one.type,
            "state": str(one.state),
            "attempts": one.attempts,
            "last_result": one.last_result,
            "created_at": one.created_at.isoformat(),
            "due_at": one.due_at.isoformat() if one.due_at else None,
            "finished_at": one.finished_at.isoformat() if one.finished_at else None,
        }
        for one in found
    ]
    session.say({"deliveries": rows}, table(rows, empty="Nothing in the last 30 days."))


def redeliver(
    session: Session,
    webhook: Id,
    *,
    event: Annotated[
        list[str] | None, typer.Option(help="This event, evt_…; may be given several times.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(help="All from then on: 2026-11-22, or with T03:04:05; UTC unless it says otherwise."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before then.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Of these only what is not delivered.")] = False,
) -> None:
    """Deliver events to an endpoint again, at once and under the ids that they had."""
    from panelry.domain import webhooks

    if bool(event) == bool(since) or (event and (until or failed)):
        raise typer.BadParameter("say either --event, or --since with --until and --failed as you like")
    begin = _instant("--since", since) if since else None
    end = _instant("--until", until) if until else FOREVER
    with session.pool() as pool, pool.transaction() as conn:
        id_ = find(conn, webhook).id
        if begin is None:
            count = webhooks.redeliver(conn, id_, [_event(shown) for shown in event or []])
            if count == 0:
                raise CommandFailed("the endpoint was not told of it, or is being told just now")
        else:
            count = webhooks.redeliver_range(conn, id_, since=begin, until=end, only_failed=failed)
    session.say({"redelivered": count}, f"To be delivered again, at once: {count}.")


def _instant(option: str, text: str) -> datetime:
    """Read a time as people write it or as this program prints it."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            "it must look like 2026-11-22 or 2026-11-22T03:04:05", param_hint=option
        ) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _event(shown: str) -> UUID:
    from panelry.domain import ids

    id_ = ids.parse(ids.EVENT, shown)
    if id_ is None:
        raise CommandFailed(f"{shown} is not an event id")
    return id_
