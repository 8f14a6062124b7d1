"""What must hold after every step, and what is worth its price only now and then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from expected import ENDS, IN_QUESTION, LIVE, Expected, Order
from market import CODES, ITEMS, Market

from panelry.database.pool import Conn
from panelry.domain import accounts, ledger, orders
from panelry.domain.orders import OrderId

if TYPE_CHECKING:
    from life import Life

GOES: Final[Mapping[str, str]] = {
    "pending": "processing cancelled",
    "processing": "pending in_progress completed partial cancelled refunded",
    "in_progress": "completed partial cancelled refunded",
    **dict.fromkeys(ENDS, ""),
}
"""Which state may follow which (money-and-lifecycle.md, 4)."""
ORDERS: Final = """
SELECT o.id, o.state, o.charge_micros, o.coupon_micros, o.refunded_micros, o.coupon_back_micros, o.remains, o.posts_done,
       o.cancel_requested, o.provider_id, o.parent_id, d.due_at IS NOT NULL AS is_due
FROM orders o LEFT JOIN drip_feeds d ON d.account_id = o.account_id AND d.order_id = o.id"""
SUBMISSIONS: Final = "SELECT id, order_id, state, upstream_id, due_at IS NOT NULL FROM submissions"
EVENTS: Final = """
SELECT subject, sequence, data ->> 'from', data ->> 'to' FROM events
WHERE type LIKE 'order.%' ORDER BY subject, sequence"""
COUPON_MONEY: Final = """
SELECT (SELECT coalesce(sum(CASE WHEN source = 'coupon' THEN amount_micros ELSE -amount_micros END), 0) FROM transfers
        WHERE 'coupon' IN (source, target)),
       (SELECT coalesce(sum(coupon_micros - coupon_back_micros), 0) FROM orders)"""
COUPON_USES: Final = """
SELECT c.code, c.uses, count(*), max(u.number) FROM coupons c JOIN coupon_uses u ON u.coupon_id = c.id
GROUP BY c.code, c.uses, u.account_id"""
REFILLS: Final = """
SELECT o.service_id, count(*) FILTER (WHERE r.state IN ('pending', 'in_progress')),
       count(*) FILTER (WHERE r.state <> 'rejected')
FROM refills r JOIN orders o ON o.account_id = r.account_id AND o.id = r.order_id GROUP BY o.account_id, o.id"""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one order stands."""

    state: str
    charge: int
    coupon: int
    refunded: int
    back: int
    remains: int
    posts_done: int
    wants_cancel: bool
    provider: int | None
    parent: UUID | None
    is_due: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """The database after a step: orders, their live submissions, all submissions, balances."""

    orders: Mapping[OrderId, Stand]
    live: Mapping[OrderId, Sequence[tuple[str, bool]]]
    submissions: Mapping[object, tuple[str, str | None]]
    balances: Sequence[int]


def seen(conn: Conn, market: Market) -> Seen:
    """Look at everything that a step could have changed."""
    with conn.pipeline():
        found = conn.execute(ORDERS)
        submissions = conn.execute(SUBMISSIONS)
    live: dict[OrderId, list[tuple[str, bool]]] = {}
    states: dict[object, tuple[str, str | None]] = {}
    for id_, order, state, upstream_id, is_due in submissions:
        states[id_] = (state, upstream_id)
        if state in LIVE:
            live.setdefault(order, []).append((state, is_due))
    return Seen(
        orders={row[0]: Stand(*row[1:]) for row in found},
        live=live,
        submissions=states,
        balances=ledger.balances(conn, [customer.account for customer in market.customers]),
    )


def check(now: Seen, before: Seen, expected: Expected, market: Market) -> None:
    """Hold what is seen against what should have become of it, and against what was seen before."""
    for customer, balance in enumerate(now.balances):
        assert balance == expected.balance(customer) <= sum(expected.deposits[customer].values())
    assert now.orders.keys() == expected.orders.keys()
    for id_, order in expected.orders.items():
        stand = now.orders[id_]
        _check_order(stand, order)
        _check_way(stand, order, now.live.get(id_, []), market)
        if id_ in before.orders:
            assert before.orders[id_].refunded <= stand.refunded, "a refund shrank"
    for tried in expected.tries:
        state, upstream_id = now.submissions[tried.attempt.submission_id]
        assert tried.state == (state if state in LIVE else "settled")
        assert tried.upstream_id == (upstream_id or "")


def _check_order(stand: Stand, order: Order) -> None:
    if order.runs > 1 and not order.is_over:
        assert order.may_stand_as(stand.state), (
            f"is {stand.state}, its runs are {[run.state for run in order.made]}"
        )
        assert not (order.state == "in_progress" and stand.state != "in_progress")
        order.state = stand.state
    assert stand.state == order.state
    assert (stand.charge, stand.coupon) == (order.charge, order.coupon)
    assert 0 <= stand.refunded == order.refunded <= order.charge
    assert (stand.back, stand.remains, stand.posts_done) == (order.back, order.remains, order.posts_done)
    assert stand.wants_cancel == order.wants_cancel
    assert order.cost >= 0, "a coupon's money has become the customer's"
    assert order.bought <= order.may_be_bought, "bought twice"


def _check_way(stand: Stand, order: Order, live: Sequence[tuple[str, bool]], market: Market) -> None:
    """Hold that an order under way has something that will move it, and only one thing."""
    assert len(live) <= 1
    if order.runs > 1:
        assert not live
        assert order.is_over or stand.is_due or any(not run.is_over for run in order.made)
    elif order.state == "pending":
        assert not live
        assert stand.provider is not None
        assert market.sellers.index(stand.provider) not in order.refused, "waits where it was refused"
    elif not order.is_over:
        assert live, f"is {order.state}, and nothing will ever move it"
        [(state, is_due)] = live
        assert is_due or state == "quarantined"
        assert state == "accepted" or order.state == "processing"
    else:
        assert (
            not live or live[0][0] == "accepted" or (live[0][0] in IN_QUESTION and order.state == "refunded")
        )


def audit(life: "Life") -> None:
    """Go through all books, timelines, coupons and refills, and through what customers are shown."""
    life.given.assert_books()
    _check_timelines(life.conn.execute(EVENTS))
    [(given, kept)] = life.conn.execute(COUPON_MONEY)
    assert given == kept, "coupons gave something else than their orders say"
    limits = {code.name: code for code in CODES}
    for name, uses, mine, last in life.conn.execute(COUPON_USES):
        code = limits[name]
        assert code.most is None or uses <= code.most
        assert code.most_each is None or mine <= code.most_each
        assert mine == last
    for service, is_open, taken in life.conn.execute(REFILLS):
        assert is_open <= 1
        assert taken <= ITEMS[life.market.services.index(service)].refills
    _check_statuses(life)


def _check_statuses(life: "Life") -> None:
    known = {id_: order for id_, order in life.expected.orders.items() if not order.parent}
    asked = [(accounts.digest(customer.key), list(known)) for customer in life.market.customers]
    for customer, seen in enumerate(orders.statuses(life.conn, asked)):
        assert isinstance(seen, list)
        statuses = []
        for order, status in zip(known.values(), seen, strict=True):
            assert (status is not None) == (order.customer == customer), "somebody is shown another's orders"
            if status is None:
                continue
            statuses.append(status)
            assert (status.state, status.charge_micros) == (order.state, order.cost)
            if order.runs > 1:
                runs_done = sum(run.is_over for run in order.made)
                assert (status.runs, status.runs_done) == (order.runs, runs_done)
        paid = sum(status.charge_micros for status in statuses)
        assert life.seen.balances[customer] == sum(life.expected.deposits[customer].values()) - paid


def _check_timelines(events: Iterable[Sequence[Any]]) -> None:
    last: tuple[object, int, str, str] | None = None
    for subject, sequence, origin, to in events:
        if last is None or last[0] != subject:
            assert (sequence, origin, to) == (1, None, "pending")
        else:
            _, number, was, is_ = last
            assert sequence == number + 1
            assert (origin, to) == (was, is_) or (
                origin == is_ and (to == origin or to in GOES[origin].split())
            )
        last = (subject, sequence, origin, to)
