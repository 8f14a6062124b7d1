"""`panelry order`, `panelry submissions` and `panelry submission`."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panelry.ops.command import command
from panelry.ops.session import CommandFailed, Session

if TYPE_CHECKING:
    from panelry.domain.orders import Settlement

app = typer.Typer(help="Orders.", no_args_is_help=True)
submission = typer.Typer(
    help="Orders of which nobody knows whether the provider has them.", no_args_is_help=True
)
STATES = ("unknown", "quarantined", "sending", "accepted", "not_sent", "rejected", "postponed")


@command(app, "show")
def show(session: Session, order: Annotated[str, typer.Argument(help="Its id, as ord_….")]) -> None:
    """Show an order with its submissions and their evidence, its refills, its events and its transfers."""
    from panelry.domain import events, ids, orders, refills

    order_id = ids.parse(ids.ORDER, order)
    if order_id is None:
        raise CommandFailed(f"{order} is not an order id")
    with session.pool() as pool, pool.transaction() as conn:
        sheet = orders.sheet(conn, orders.OrderId(order_id))
        timeline = events.timeline(conn, sheet.account_id, order_id)
        refilled = refills.of_order(conn, sheet.account_id, orders.OrderId(order_id))
    happened = [{"at": e.at.isoformat(), "type": e.type, "actor": e.actor, **dict(e.data)} for e in timeline]
    value = {
        **sheet.order,
        **({"runs": sheet.runs} if sheet.runs else {}),
        "submissions": sheet.submissions,
        "refills": refilled,
        "events": happened,
        "transfers": sheet.transfers,
    }
    session.say(value, json.dumps(value, indent=2, ensure_ascii=False))


@submission.callback()
def _submission() -> None:
    """Keep `settle` a command of its own though it is the only one."""


@command(submission, "settle")
def settle(
    session: Session,
    submission_id: Annotated[
        str, typer.Argument(metavar="ID", help="As `panelry submissions` lists it, sub_….")
    ],
    *,
    accepted: Annotated[
        str | None, typer.Option(metavar="UPSTREAM_ID", help="The provider has it, with this id.")
    ] = None,
    resend: Annotated[
        bool, typer.Option("--resend", help="The provider does not have it: send it again.")
    ] = False,
    refund: Annotated[
        bool, typer.Option("--refund", help="The provider does not have it: pay the customer back.")
    ] = False,
) -> None:
    """Decide about a submission whose outcome nobody knows: exactly one of the three."""
    from panelry.domain import ids, orders

    settlement = _settlement(accepted, resend=resend, refund=refund)
    parsed = ids.parse(ids.SUBMISSION, submission_id)
    if parsed is None:
        raise CommandFailed(f"{submission_id} is not a submission id")
    id_ = orders.SubmissionId(parsed)
    with session.pool() as pool, pool.transaction() as conn:
        account_id = orders.settle(conn, id_, settlement, actor="operator")
        row = orders.submission(conn, account_id, id_)
    session.say(row, _words(row))


def _settlement(accepted: str | None, *, resend: bool, refund: bool) -> "Settlement":
    from panelry.domain import orders

    match accepted, resend, refund:
        case str(), False, False:
            return orders.AcceptedAs(upstream_id=accepted.strip())
        case None, True, False:
            return orders.SendAgain()
        case None, False, True:
            return orders.PayBack()
        case _:
            raise typer.BadParameter("say one of --accepted UPSTREAM_ID, --resend, --refund")


def add_to(root: typer.Typer) -> None:
    """Add what stands at the top level."""
    command(root, "submissions")(submissions)


def submissions(
    session: Session,
    *,
    state: Annotated[str | None, typer.Option(help="One state; by default unknown and quarantined.")] = None,
) -> None:
    """List submissions whose outcome nobody knows yet, with the evidence."""
    from panelry.domain import orders

    if state is not None and state not in STATES:
        raise typer.BadParameter(f"it must be one of {', '.join(STATES)}", param_hint="--state")
    states = [orders.SubmissionState(name) for name in ([state] if state else STATES[:2])]
    with session.pool() as pool, pool.transaction() as conn:
        rows = orders.submissions_in(conn, states)
    text = "\n\n".join(_words(row) for row in rows) or "None: every answer is known."
    session.say({"submissions": rows}, text)


def _words(row: dict[str, Any]) -> str:
    lines = [
        f"{row['id']}  {row['state']} at {row['provider']}, sent {row['sent_at']}",
        f"  order  {row['order']}",
        f"  link   {row['link']}",
        *(f"  {seen['at']}  {seen['note']}" for seen in row["evidence"]),
    ]
    return "\n".join(lines)
