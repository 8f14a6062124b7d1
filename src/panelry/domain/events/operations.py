"""All that writes events; nothing ever changes one."""

from collections.abc import Sequence

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain.events.values import Event

SQL = Statements.beside(__file__)
_encode = msgspec.json.Encoder().encode


def record(conn: Conn, events: Sequence[Event]) -> None:
    """Write events in the transaction of the change that they tell of."""
    if not events:
        return
    SQL["insert_events"](
        conn,
        account_ids=[e.account_id for e in events],
        subjects=[e.subject for e in events],
        sequences=[e.sequence for e in events],
        ids=[e.id for e in events],
        types=[e.type for e in events],
        data=[_encode(e.data).decode() for e in events],
        actors=[e.actor for e in events],
        ats=[e.at for e in events],
    )
