"""Making the runs of drip-feeds: each when its time has come, by the database's clock (money-and-lifecycle.md, 7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import catalog, ids, ledger, webhooks
from panelry.domain.accounts import AccountId
from panelry.domain.catalog import Route
from panelry.domain.events import Event
from panelry.domain.money import Micros
from panelry.domain.orders.operations import changing
from panelry.domain.orders.rules import run_charge
from panelry.domain.orders.rules.answers import given_up
from panelry.domain.orders.values import ENGINE, OrderId, OrderState

SQL = Statements(Path(__file__).parents[1] / "statements")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run about to be made; `row` is that of `claim_drip_feeds`."""

    id: OrderId
    account_id: AccountId
    parent_id: OrderId
    number: int
    quantity: int
    charge_micros: Micros
    next_at: datetime | None
    route: Route | None
    row: Row


def make_runs(conn: Conn, *, most: int = 100) -> int:
    """Make the next run of drip-feeds that are due, and return how many. Two engines never make the same one.

    Each takes the route that is best now; where nobody delivers the service any more it is cancelled at once.
    """
    rows = SQL["claim_drip_feeds"](conn, most=most).fetchall()
    if not rows:
        return 0
    at = ledger.now(conn)
    services = catalog.load(conn, {row[6] for row in rows}, off_sale_too=True)
    runs = [_run(row, catalog.route_for(services[row[6]].routes), at) for row in rows]
    SQL["insert_runs"](
        conn,
        account_ids=[r.account_id for r in runs],
        ids=[r.id for r in runs],
        parent_ids=[r.parent_id for r in runs],
        runs=[r.number for r in runs],
        fingerprints=[r.row[5] for r in runs],
        service_ids=[r.row[6] for r in runs],
        types=[r.row[7] for r in runs],
        links=[r.row[8] for r in runs],
        quantities=[r.quantity for r in runs],
        extras=[r.row[10] for r in runs],
        rates=[r.row[11] for r in runs],
        rate_pers=[r.row[12] for r in runs],
        charges=[r.charge_micros for r in runs],
        route_ids=[r.route.id if r.route else None for r in runs],
        provider_ids=[r.route.provider_id if r.route else None for r in runs],
        at=at,
    )
    SQL["move_drip_feeds"](
        conn,
        account_ids=[r.account_id for r in runs],
        ids=[r.parent_id for r in runs],
        mades=[r.number for r in runs],
        due_ats=[r.next_at for r in runs],
    )
    webhooks.tell(conn, [_created(run, at) for run in runs])
    _give_up(conn, [run for run in runs if run.route is None], at)
    return len(runs)


def _run(row: Row, route: Route | None, now: datetime) -> _Run:
    account_id, parent_id, runs, made, minutes = row[:5]
    # From now, not from when it was due: runs never come closer together than was asked for.
    next_at = now + timedelta(minutes=minutes) if made + 1 < runs else None
    return _Run(
        id=OrderId(ids.new()),
        account_id=account_id,
        parent_id=OrderId(parent_id),
        number=made + 1,
        quantity=row[9] // runs,
        charge_micros=run_charge(row[13], runs),
        next_at=next_at,
        route=route,
        row=row,
    )


def _give_up(conn: Conn, runs: list[_Run], at: datetime) -> None:
    if not runs:
        return
    rows = SQL["lock_orders"](conn, account_ids=[r.account_id for r in runs], ids=[r.id for r in runs])
    orders = [changing.order_from(row) for row in rows]
    nobody = {"reason": "no route"}
    changing.apply(conn, [given_up(o, OrderState.CANCELLED, facts=nobody) for o in orders], at=at)


def _created(run: _Run, at: datetime) -> Event:
    return Event(
        id=ids.new(),
        account_id=run.account_id,
        subject=run.id,
        sequence=1,
        type="run.created",
        data={
            "to": OrderState.PENDING,
            "quantity": run.quantity,
            "charge_micros": run.charge_micros,
            "run": run.number,
        },
        actor=ENGINE,
        at=at,
    )
