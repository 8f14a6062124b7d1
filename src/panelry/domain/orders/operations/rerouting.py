"""Sending waiting orders another way when theirs is closed for the time being."""

from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import catalog, ledger, money
from panelry.domain.orders.operations import changing
from panelry.domain.orders.operations.submitting import refusals
from panelry.domain.orders.rules.answers import OURS
from panelry.domain.orders.values import Change, OrderState

SQL = Statements(Path(__file__).parents[1] / "statements")


def reroute(conn: Conn, *, most: int = 100) -> int:
    """Give orders whose provider is paused or broken, or whose route was closed, to the best open route that is left.

    Orders without one go on waiting. Return how many moved.
    """
    rows = SQL["claim_stranded"](conn, most=most, ours=list(OURS)).fetchall()
    orders = [(changing.order_from(row), row[changing.COLUMNS]) for row in rows]
    if not orders:
        return 0
    at = ledger.now(conn)
    services = catalog.load(conn, {order.service_id for order, _ in orders}, off_sale_too=True)
    refused, _ = refusals(conn, [(order.account_id, order.id) for order, _ in orders])
    changes = []
    for order, current in orders:
        route = catalog.route_for(
            services[order.service_id].routes, refused={*refused.get(order.id, ()), current}
        )
        if route is None or not route.is_open:
            continue
        change = Change(
            order=order,
            to=OrderState.PENDING,
            refund_micros=money.ZERO,
            start_count=order.start_count,
            remains=order.remains,
            route=(route.id, route.provider_id),
            due_at=at,
        )
        changes.append(change)
    changing.apply(conn, changes, at=at)
    return len(changes)
