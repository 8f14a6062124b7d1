"""`panelry catalog moves`, `approve` and `refuse`: prices that are not followed by themselves."""

from typing import Annotated, Any

import typer

from panelry.ops.command import command
from panelry.ops.commands.catalog import change_row
from panelry.ops.session import Session

Moves = Annotated[
    list[int],
    typer.Argument(min=1, max=2**31 - 1, help="Their numbers, as `panelry catalog moves` shows them."),
]


def add_to(app: typer.Typer) -> None:
    """Add what belongs to the catalogue."""
    command(app, "moves")(moves)
    command(app, "approve")(approve)
    command(app, "refuse")(refuse)


def moves(session: Session) -> None:
    """List prices that wait for a person, with what customers pay; a route that is off is not used until then."""
    from panelry.domain import catalog
    from panelry.ops.tables import table

    with session.pool() as pool, pool.transaction() as conn:
        rows = [_row(move) for move in catalog.held_moves(conn)]
    session.say({"moves": rows}, table(rows, empty="None: every price is followed."))


def approve(session: Session, moves: Moves) -> None:
    """Believe held prices: rates follow them, and routes are used again."""
    from panelry.domain import catalog
    from panelry.ops.tables import table

    with session.pool() as pool, pool.transaction() as conn:
        changes = catalog.approve_moves(conn, [catalog.MoveId(number) for number in moves])
    rows = [change_row(change) for change in changes]
    session.say({"approved": moves, "changes": rows}, table(rows, empty="Approved; it changes nothing."))


def refuse(session: Session, moves: Moves) -> None:
    """Go on counting with the old prices; a route that is off stays off while its provider asks this price."""
    from panelry.domain import catalog

    with session.pool() as pool, pool.transaction() as conn:
        catalog.refuse_moves(conn, [catalog.MoveId(number) for number in moves])
    session.say({"refused": moves}, "Refused.")


def _row(move: Any) -> dict[str, Any]:
    from panelry.domain import money

    return {
        "move": move.id,
        "service": move.service_id,
        "name": move.name,
        "provider": move.provider,
        "provider_service": move.provider_service,
        "before": money.text(move.before_micros),
        "after": money.text(move.after_micros),
        "currency": move.currency,
        "rate": money.text(move.rate_micros),
        "per": move.rate_per,
        "route": "on" if move.is_open else "off",
        "seen_at": move.seen_at.isoformat(),
    }
