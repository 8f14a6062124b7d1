"""Endpoints of customers and what they are told, built by the real operations."""

from collections.abc import Iterable
from datetime import timedelta

from given import VAULT, Customer
from panelry.database.pool import Conn
from panelry.domain import ids, webhooks
from panelry.domain.events import Event
from panelry.domain.vault import Vault
from panelry.domain.webhooks import Claimed, Registered, Result, WebhookId

LEASE = timedelta(seconds=30)
OK = Result(took_milliseconds=7, status=200, response=b"thanks")
BAD = Result(took_milliseconds=9, status=500, response=b"sorry")
GONE = Result(took_milliseconds=3, status=410)


def endpoint(
    conn: Conn,
    customer: Customer,
    url: str = "https://shop.example/hook",
    events: Iterable[str] = (),
    *,
    vault: Vault = VAULT,
) -> Registered:
    """Register an endpoint of a customer."""
    return webhooks.add(conn, vault, customer.account, url=url, events=events)


def told(conn: Conn, customer: Customer, count: int = 1) -> list[Event]:
    """Let so many things happen to a customer, of which all endpoints are told that ask for `balance.low`."""
    query = (
        "SELECT coalesce(max(sequence), 0), clock_now() FROM events WHERE account_id = %s AND subject = %s"
    )
    [[last, at]] = conn.execute(query, [customer.account, customer.account]).fetchall()
    happened = [
        Event(
            id=ids.new(),
            account_id=customer.account,
            subject=customer.account,
            sequence=last + number,
            type="balance.low",
            data={"balance_micros": 1_000_000 * number, "threshold_micros": 9_000_000},
            actor="engine",
            at=at,
        )
        for number in range(1, count + 1)
    ]
    webhooks.tell(conn, happened)
    return happened


def claim(conn: Conn, *, most: int = 100, doubtful: int = 100) -> list[Claimed]:
    """Take what is due."""
    return webhooks.claim(conn, VAULT, most=most, doubtful=doubtful, lease=LEASE)


def answered(conn: Conn, result: Result, *, most: int = 100) -> list[Claimed]:
    """Have all that is due answered alike; return what that was."""
    claimed = claim(conn, most=most)
    webhooks.record(conn, dict.fromkeys(claimed, result))
    return claimed


def states(conn: Conn, webhook: WebhookId) -> list[str]:
    """Return the states of an endpoint's deliveries, the oldest first."""
    query = "SELECT state FROM deliveries WHERE webhook_id = %s ORDER BY sequence"
    return [state for (state,) in conn.execute(query, [webhook])]
