"""Placing a set of orders: load with locks, decide, store (money-and-lifecycle.md, 3)."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import accounts, catalog, coupons, ids, ledger, webhooks
from panelry.domain.accounts import Buyer
from panelry.domain.coupons import Coupon
from panelry.domain.ledger import Stored
from panelry.domain.orders import rules
from panelry.domain.orders.rules import Decision, Loaded
from panelry.domain.orders.values import Draft, NewOrder, OrderId, Placed
from panelry.domain.refusals import Refusal

SQL = Statements(Path(__file__).parents[1] / "statements")
MOST = 256
_AT_ONCE = 64
"""How many are decided before PostgreSQL is given them to store."""
_encode = msgspec.json.Encoder().encode


def place(conn: Conn, drafts: Sequence[Draft]) -> list[Placed | Refusal]:
    """Place a set of at most 256 drafts and answer each: `Placed`, or the refusal that says why not.

    Only when the transaction of `conn` commits are the answers true; a refused draft leaves no trace. Calling again
    with the same request ids gives the same orders.
    """
    assert len(drafts) <= MOST
    loaded = _load(conn, drafts)
    mint = iter(ids.several(2 * len(drafts))).__next__  # an order takes an id, and its event another
    answers: list[Placed | Refusal] = []
    stored = []
    with conn.pipeline():  # PostgreSQL stores what was decided while the next are decided
        for start in range(0, len(drafts), _AT_ONCE):
            decision = rules.decide(loaded, drafts[start : start + _AT_ONCE], mint=mint)
            answers += decision.answers
            if decision.orders:
                stored.append(_begin_store(conn, loaded, decision))
            loaded = rules.after(loaded, decision)
    for moved in stored:
        moved.check()
    return answers


def _load(conn: Conn, drafts: Sequence[Draft]) -> Loaded:
    digests = [d.caller if isinstance(d.caller, bytes) else None for d in drafts]
    account_ids = [None if isinstance(d.caller, bytes) else d.caller for d in drafts]
    called = {"digests": list(set(digests) - {None}), "account_ids": list(set(account_ids) - {None})}
    with conn.pipeline():
        callers = SQL["load_callers"](conn, **called)
        wallets = SQL["lock_callers_wallets"](conn, **called)
        known = SQL["load_known"](
            conn, digests=digests, account_ids=account_ids, request_ids=[d.request_id for d in drafts]
        )
        services = catalog.begin_load(conn, {d.service for d in drafts})
        now = ledger.begin_now(conn)
    found = {digest or id_: (id_, state, discount) for digest, id_, state, discount in callers}
    who = [accounts.buyer_from(found.get(draft.caller)) for draft in drafts]
    return Loaded(
        callers=who,
        wallets=ledger.wallets_from(wallets.fetchall()),
        services=catalog.services_from(services.fetchall()),
        coupons=_lock_coupons(conn, drafts, who),
        known={
            (id_, request_id): (OrderId(order), bytes(print_)) for id_, request_id, order, print_ in known
        },
        at=now.fetchall()[0][0],
    )


def _lock_coupons(
    conn: Conn, drafts: Sequence[Draft], callers: Sequence[Buyer | Refusal]
) -> dict[str, Coupon]:
    """Lock the coupons that drafts name: after the wallets, and with no round trip where none is named."""
    named = [
        (coupons.normal_code(draft.parameters["coupon"]), caller.account_id)
        for draft, caller in zip(drafts, callers, strict=True)
        if "coupon" in draft.parameters and not isinstance(caller, Refusal)
    ]
    codes = {code for code, _ in named if code is not None}
    return coupons.lock(conn, codes, {caller for _, caller in named})


def _begin_store(conn: Conn, loaded: Loaded, decision: Decision) -> Stored:
    orders = decision.orders
    SQL["insert_orders"](
        conn,
        account_ids=[o.account_id for o in orders],
        ids=[o.id for o in orders],
        request_ids=[o.draft.request_id for o in orders],
        fingerprints=[o.fingerprint for o in orders],
        service_ids=[o.draft.service for o in orders],
        types=[o.type for o in orders],
        links=[o.wanted.link for o in orders],
        quantities=[o.quantity for o in orders],
        extras=[_encode(o.wanted.extras).decode() for o in orders],
        posts=[o.wanted.posts for o in orders],
        rates=[o.rate_micros for o in orders],
        rate_pers=[o.rate_per for o in orders],
        charges=[o.charge_micros for o in orders],
        coupon_ids=[o.use.coupon_id if o.use else None for o in orders],
        coupons=[o.coupon_micros for o in orders],
        route_ids=[o.route_id for o in orders],
        provider_ids=[o.provider_id for o in orders],
        at=loaded.at,
    )
    stored = ledger.begin_store(conn, loaded.wallets, decision.wallets.values(), decision.transfers)
    _insert_drip_feeds(conn, [o for o in orders if o.wanted.interval_minutes], loaded.at)
    coupons.record(conn, [o.use for o in orders if o.use])
    webhooks.tell(conn, decision.events)
    return stored


def _insert_drip_feeds(conn: Conn, orders: Sequence[NewOrder], at: datetime) -> None:
    if orders:
        SQL["insert_drip_feeds"](
            conn,
            account_ids=[o.account_id for o in orders],
            order_ids=[o.id for o in orders],
            runs=[o.wanted.runs for o in orders],
            intervals=[o.wanted.interval_minutes for o in orders],
            at=at,
        )
