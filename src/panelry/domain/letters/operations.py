"""All that changes letters."""

from datetime import timedelta
from typing import Final

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import ids
from panelry.domain.letters import rules
from panelry.domain.letters.values import Claimed, Letter, LetterId, Sending

SQL = Statements.beside(__file__)
_LONGEST_MESSAGE: Final = 1000


def write(conn: Conn, letter: Letter) -> None:
    """Write a letter in the transaction of what it tells of; it goes out after the commit."""
    data = msgspec.json.encode(letter.data).decode()
    SQL["insert"](
        conn,
        id=ids.new(),
        recipient=letter.recipient,
        template=letter.template,
        data=data,
        reference=letter.reference,
    )


def claim(conn: Conn, *, most: int, lease: timedelta) -> list[Claimed]:
    """Take letters that are due, for the time of a lease."""
    return [
        Claimed(
            id=LetterId(id_),
            recipient=recipient,
            template=template,
            data=msgspec.json.decode(data),
            attempt=attempt,
        )
        for id_, recipient, template, data, attempt in SQL["claim"](conn, most=most, lease=lease)
    ]


def record(conn: Conn, claimed: Claimed, sending: Sending) -> None:
    """Write down how an attempt went: sent, to be tried again, or given up."""
    wait = rules.wait_after(claimed.attempt) if sending.may_try_again and not sending.sent else None
    state = "sent" if sending.sent else "waiting" if wait is not None else "failed"
    SQL["record"](
        conn,
        id=claimed.id,
        attempt=claimed.attempt,
        state=state,
        message=sending.message.replace("\0", "")[:_LONGEST_MESSAGE],
        wait=wait,
    )


def give_up(conn: Conn) -> int:
    """End letters that have waited for a week, and return how many."""
    return SQL["give_up"](conn, age=rules.LONGEST).rowcount
