"""What can be asked about letters."""

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain.letters.values import Backlog

SQL = Statements.beside(__file__)


def backlog(conn: Conn) -> Backlog:
    """Return how many letters wait for the mail server."""
    [[waiting, since]] = SQL["backlog"](conn).fetchall()
    return Backlog(waiting=waiting, since=since)
