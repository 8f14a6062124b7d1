"""Asking for refills, answering for providers, and looking at what became of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from given import LEASE, Customer, Given
from panelry.database.pool import Conn
from panelry.domain import events, ids, refills
from panelry.domain.accounts import AccountId
from panelry.domain.orders import OrderId
from panelry.domain.refills import Answer, Claimed, RefillId, Wanted
from panelry.domain.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Row:
    """One refill as it stands."""

    state: str
    upstream_id: str | None
    message: str
    attempt: int
    due_at: datetime | None
    finished_at: datetime | None


def wanted(customer: Customer, order: OrderId) -> Wanted:
    return Wanted(id=RefillId(ids.new()), account_id=customer.account, order_id=order)


def ask(given: Given, customer: Customer, *orders: OrderId) -> list[RefillId | Refusal]:
    """Ask for a refill of each order, all in one call."""
    return refills.request(given.conn, [wanted(customer, order) for order in orders], actor="customer")


def why(answer: RefillId | Refusal) -> type[Refusal] | None:
    """Return why a refill was refused, if it was."""
    return type(answer) if isinstance(answer, Refusal) else None


def refilled(given: Given, customer: Customer, order: OrderId) -> RefillId:
    """Ask for a refill that must be given."""
    [answer] = ask(given, customer, order)
    assert not isinstance(answer, Refusal), answer
    return answer


def claimed(conn: Conn, refill: RefillId) -> Claimed:
    """Claim one refill for its next question, whenever that is due."""
    query = "UPDATE refills SET due_at = clock_now() WHERE id = %s RETURNING provider_id"
    [[provider]] = conn.execute(query, [refill]).fetchall()
    due = refills.claim(conn, provider, most=1000, lease=LEASE)
    return next(one for one in due if one.id == refill)


def answered(conn: Conn, refill: RefillId, *answers: Answer) -> None:
    """Have a provider asked its next question so often, and answer this."""
    for answer in answers:
        assert refills.record(conn, {claimed(conn, refill): answer}) == 1


def row(conn: Conn, refill: RefillId) -> Row:
    query = "SELECT state, upstream_id, message, attempt, due_at, finished_at FROM refills WHERE id = %s"
    [found] = conn.execute(query, [refill]).fetchall()
    return Row(*found)


def told(conn: Conn, account: AccountId, refill: RefillId) -> list[tuple[str, str, dict[str, Any]]]:
    """Return type, actor and data of a refill's events; their numbers must have no gaps."""
    timeline = events.timeline(conn, account, refill)
    assert [event.sequence for event in timeline] == list(range(1, len(timeline) + 1))
    return [(event.type, event.actor, dict(event.data)) for event in timeline]
