"""Writing events, and what is to be delivered of them."""

from collections.abc import Sequence
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import events
from panelry.domain.events import Event
from panelry.domain.webhooks.rules import EVENTS, TEST

SQL = Statements(Path(__file__).parents[1] / "statements")
_TOLD = frozenset(EVENTS)


def tell(conn: Conn, happened: Sequence[Event]) -> None:
    """Write events with the deliveries to the endpoints that asked for them, in the transaction of the change.

    It waits for nothing: in a pipeline it costs no round trip.
    """
    events.record(conn, happened)
    told = [event for event in happened if event.type in _TOLD]
    if told:
        SQL["lock_told"](conn, account_ids=list({e.account_id for e in told}))
        SQL["insert_deliveries"](
            conn,
            account_ids=[e.account_id for e in told],
            ids=[e.id for e in told],
            subjects=[e.subject for e in told],
            sequences=[e.sequence for e in told],
            types=[e.type for e in told],
            test=TEST,
        )
