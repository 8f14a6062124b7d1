"""Looking at submissions, providers and timelines in tests."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from given import Customer
from panelry.database.pool import Conn
from panelry.domain import events
from panelry.domain.orders import Attempt, OrderId, Tracked
from panelry.domain.providers import ProviderId


@dataclass(frozen=True, slots=True)
class Row:
    """One submission as it stands."""

    state: str
    due_at: datetime | None
    upstream_id: str | None
    reason: str
    attempt: int
    message: str
    notes: list[str]


def submission(conn: Conn, of: Attempt | Tracked) -> Row:
    query = """SELECT state, due_at, upstream_id, reason, attempt, message, evidence FROM submissions
               WHERE account_id = %s AND id = %s"""
    [row] = conn.execute(query, [of.account_id, of.submission_id]).fetchall()
    return Row(*row[:6], [note["note"] for note in row[6]])


def submissions_of(conn: Conn, order: OrderId) -> list[str]:
    """Return the states of all attempts to buy an order, oldest first."""
    query = "SELECT state FROM submissions WHERE order_id = %s ORDER BY sent_at, id"
    return [state for [state] in conn.execute(query, [order]).fetchall()]


def order_row(conn: Conn, order: OrderId, *columns: str) -> tuple[Any, ...]:
    query = f"SELECT {', '.join(columns)} FROM orders WHERE id = %s"  # noqa: S608 (constants)
    [row] = conn.execute(query.encode(), [order]).fetchall()
    return tuple(row)


def provider_state(conn: Conn, provider: ProviderId) -> tuple[str, str]:
    [row] = conn.execute("SELECT state, pause_reason FROM providers WHERE id = %s", [provider]).fetchall()
    return (row[0], row[1])


def told(conn: Conn, customer: Customer, order: OrderId) -> list[str]:
    """Return the types of an order's events; their numbers must have no gaps."""
    timeline = events.timeline(conn, customer.account, order)
    assert [event.sequence for event in timeline] == list(range(1, len(timeline) + 1))
    return [event.type for event in timeline]


def now(conn: Conn) -> datetime:
    [[at]] = conn.execute("SELECT clock_now()").fetchall()
    assert isinstance(at, datetime)
    return at
