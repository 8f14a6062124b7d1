"""What can be asked about what happened."""

from uuid import UUID

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain.accounts import AccountId
from panelry.domain.events.values import Event

SQL = Statements.beside(__file__)


def timeline(conn: Conn, account_id: AccountId, subject: UUID) -> list[Event]:
    """Return all events of one subject, oldest first."""
    return [
        Event(
            id=id_,
            account_id=account_id,
            subject=subject,
            sequence=sequence,
            type=type_,
            data=msgspec.json.decode(data),
            actor=actor,
            at=at,
        )
        for id_, sequence, type_, data, actor, at in SQL["timeline"](
            conn, account_id=account_id, subject=subject
        )
    ]
