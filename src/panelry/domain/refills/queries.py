"""What can be asked about refills."""

from collections.abc import Sequence
from typing import Any

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import ids
from panelry.domain.accounts import AccountId
from panelry.domain.orders import OrderId
from panelry.domain.providers import ProviderId, RefillState
from panelry.domain.refills.values import RefillId

SQL = Statements.beside(__file__)


def states(
    conn: Conn, asked: Sequence[tuple[AccountId, Sequence[RefillId]]]
) -> list[dict[RefillId, RefillState]]:
    """Return how the refills that each caller asks for are doing; those that are not its own are left out."""
    answers: list[dict[RefillId, RefillState]] = [{} for _ in asked]
    flat = [(position, account_id, id_) for position, (account_id, ids_) in enumerate(asked) for id_ in ids_]
    rows = SQL["states"](
        conn,
        positions=[p for p, _, _ in flat],
        account_ids=[a for _, a, _ in flat],
        ids=[i for _, _, i in flat],
    )
    for position, id_, state in rows:
        answers[position][RefillId(id_)] = RefillState(state)
    return answers


def due(conn: Conn) -> frozenset[ProviderId]:
    """Look at which providers there is something to ask, without locking or writing anything."""
    return frozenset(ProviderId(id_) for [id_] in SQL["due"](conn))


def of_order(conn: Conn, account_id: AccountId, order_id: OrderId) -> list[dict[str, Any]]:
    """Return the refills of one order, for staff, oldest first: rows that print and encode as they are."""
    rows = SQL["of_order"](conn, account_id=account_id, order_id=order_id)
    return [
        {
            "refill": ids.show(ids.REFILL, id_),
            "provider": provider,
            "state": state,
            "upstream_id": upstream_id,
            "message": message,
            "created_at": created_at.isoformat(),
            "finished_at": finished_at.isoformat() if finished_at else None,
        }
        for id_, provider, state, upstream_id, message, created_at, finished_at in rows
    ]
