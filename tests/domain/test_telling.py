"""What happens is told to whoever asked for it: once, completely, in the transaction in which it happens."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from endpoints import bodies, waiting
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from submissions import told

from given import VAULT, Customer, Given, draft, upstream_service
from panelry.database.pool import Conn, Pool
from panelry.domain import accounts, events, ids, ledger, money, orders, refills, webhooks
from panelry.domain.catalog import ServiceId
from panelry.domain.events import Event
from panelry.domain.orders import OrderId, Placed
from panelry.domain.providers import (
    NotSent,
    ProviderId,
    RefillRefused,
    RefillReport,
    RefillState,
    RefillTaken,
    Rejected,
    Rejection,
    Report,
    UpstreamState,
)
from panelry.domain.refills import RefillId, Wanted
from panelry.domain.webhooks import EVENTS, Reason, WebhookId

U = UpstreamState
LEASE = timedelta(seconds=60)
AT = datetime(2026, 11, 22, tzinfo=UTC)
OTHERS = ("order.pending", "order.cancel_requested", "run.created", "run.completed", "refill.in_progress")


@pytest.fixture(scope="module")
def pool(module_pool: Pool) -> Pool:
    """Work where nobody else leaves drip-feeds that are due."""
    return module_pool


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer("10")


@pytest.fixture
def provider(given: Given) -> ProviderId:
    return given.provider()


@pytest.fixture
def service(given: Given, provider: ProviderId) -> ServiceId:
    return given.service(provider)


@pytest.fixture
def hook(given: Given, customer: Customer) -> WebhookId:
    return given.webhook(customer).id


def placed(conn: Conn, customer: Customer, service: ServiceId, **more: Any) -> OrderId:
    [answer] = orders.place(conn, [draft(customer, service, **more)])
    assert isinstance(answer, Placed), answer
    return answer.order_id


def said(state: UpstreamState, **more: Any) -> Report:
    return Report(state=state, word=state, **more)


def ends(conn: Conn, webhook: WebhookId) -> list[tuple[str, str, str]]:
    """Return each event's type with the status and charge that it tells."""
    return [(b["type"], b["data"]["status"], b["data"]["charge"]) for b in bodies(conn, webhook)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(
    st.lists(st.lists(st.sampled_from(EVENTS), unique=True), max_size=4),
    st.sets(st.integers(0, 3)),
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from([*EVENTS[:-1], *OTHERS])), max_size=12),
)
def test_deliveries_are_exactly_the_pairs_of_events_and_active_endpoints_that_asked_for_them(
    conn: Conn, wanted: list[list[str]], ended: set[int], happened: list[tuple[int, str]]
) -> None:
    given = Given(conn)
    owners = [given.customer().account for _ in range(2)]
    hooks = [
        (owners[number % 2], webhooks.add(conn, VAULT, owners[number % 2], url="https://x.example/", events=asked))
        for number, asked in enumerate(wanted)
    ]  # fmt: skip
    gone = {hooks[number][1].id for number in ended if number < len(hooks)}
    webhooks.disable(conn, gone, reason=Reason.OWNER)
    written = [
        Event(
            id=ids.new(),
            account_id=owners[owner],
            subject=owners[owner],
            sequence=number,
            type=type_,
            data={},
            actor="engine",
            at=AT,
        )
        for number, (owner, type_) in enumerate(happened, start=1)
    ]
    webhooks.tell(conn, written)
    expected = {
        (owner, hook.id, event.id, event.subject, event.sequence, "waiting")
        for event in written
        for owner, hook in hooks
        if owner == event.account_id and hook.id not in gone and event.type in hook.events
    }
    query = """SELECT account_id, webhook_id, event_id, subject, sequence, state FROM deliveries
               WHERE account_id = ANY (%s) AND due_at <= clock_now()"""
    found = conn.execute(query, [owners]).fetchall()
    assert Counter(map(tuple, found)) == Counter(expected)
    assert [e.id for owner in owners for e in events.timeline(conn, owner, owner)] == [
        e.id for owner in owners for e in written if e.account_id == owner
    ]


def test_the_way_of_an_order_is_told_step_by_step_with_the_fields_of_its_status(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, service: ServiceId, hook: WebhookId
) -> None:
    order = placed(conn, customer, service, request_id="mine")
    tracked = given.accepted(provider)
    orders.apply_reports(conn, {tracked: said(U.IN_PROGRESS, start_count=7, remains=90)})
    orders.apply_reports(conn, {tracked: said(U.PARTIAL, remains=60)})
    assert ends(conn, hook) == [
        ("order.created", "pending", "0.10"),
        ("order.processing", "processing", "0.10"),
        ("order.in_progress", "in_progress", "0.10"),
        ("order.partial", "partial", "0.04"),
        ("order.refunded", "partial", "0.04"),
    ]
    last = bodies(conn, hook)[-1]["data"]
    assert last == {
        "order": ids.show(ids.ORDER, order),
        "request_id": "mine",
        "status": "partial",
        "charge": "0.04",
        "start_count": "7",
        "remains": "60",
        "currency": "USD",
        "refund": "0.06",
        "sequence": 5,
    }
    status = given.status(customer, order)
    assert (last["status"], last["charge"]) == (status.state, money.text(status.charge_micros))


def test_every_ending_is_told_by_its_name_and_by_the_money_that_went_back(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, service: ServiceId
) -> None:
    """What provider and customer say, and the two last events."""
    stories: list[tuple[UpstreamState, int, list[tuple[str, str, str]]]] = [
        (U.COMPLETED, 0, [("order.completed", "completed", "0.10")]),
        (U.CANCELLED, 25, [("order.cancelled", "cancelled", "0.075"), ("order.refunded", "cancelled", "0.075")]),
        (U.REFUNDED, 0, [("order.failed", "refunded", "0.00"), ("order.refunded", "refunded", "0.00")]),
    ]  # fmt: skip
    for state, remains, end in stories:
        hook = given.webhook(customer).id
        placed(conn, customer, service)
        orders.apply_reports(conn, {given.accepted(provider): said(state, remains=remains)})
        assert ends(conn, hook)[2:] == end
        webhooks.remove(conn, customer.account, hook)


def test_the_same_report_again_and_mere_counts_are_told_to_nobody(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, service: ServiceId, hook: WebhookId
) -> None:
    placed(conn, customer, service)
    tracked = given.accepted(provider)
    for remains in (90, 90, 80, 80):
        orders.apply_reports(conn, {tracked: said(U.IN_PROGRESS, remains=remains)})
    assert waiting(conn, hook)[2:] == ["order.in_progress"]
    for _ in range(3):
        orders.apply_reports(conn, {tracked: said(U.COMPLETED, remains=0)})
    assert waiting(conn, hook)[3:] == ["order.completed"]


def test_going_back_to_wait_is_not_told_but_counted(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, service: ServiceId, hook: WebhookId
) -> None:
    order = placed(conn, customer, service)
    [attempt] = given.attempts(provider)
    given.answered(attempt, NotSent(text="refused"))
    assert told(conn, customer, order)[-1] == "order.pending"
    given.later("1 hour")
    given.accepted(provider)
    assert waiting(conn, hook) == ["order.created", "order.processing", "order.processing"]
    assert [b["data"]["sequence"] for b in bodies(conn, hook)] == [1, 2, 4]


def test_what_a_definite_no_ends_is_told_as_failed_with_all_of_its_money_back(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, service: ServiceId, hook: WebhookId
) -> None:
    placed(conn, customer, service)
    [attempt] = given.attempts(provider)
    given.answered(attempt, Rejected(reason=Rejection.LINK, text="Bad link"))
    assert ends(conn, hook)[2:] == [
        ("order.failed", "refunded", "0.00"),
        ("order.refunded", "refunded", "0.00"),
    ]
    assert bodies(conn, hook)[-1]["data"]["refund"] == "0.10"


def test_a_cancel_of_what_was_not_sent_is_told_at_once(
    conn: Conn, customer: Customer, service: ServiceId, hook: WebhookId
) -> None:
    order = placed(conn, customer, service)
    orders.cancel(conn, [(customer.account, order)], actor="customer")
    assert ends(conn, hook)[1:] == [
        ("order.cancelled", "cancelled", "0.00"),
        ("order.refunded", "cancelled", "0.00"),
    ]


@pytest.mark.parametrize(
    ("percent", "charge", "refund"), [(25, "0.075", "0.045"), (33, "0.067", "0.0402"), (100, "0.00", None)]
)
def test_only_what_the_wallet_gets_back_is_told_as_refunded(
    conn: Conn,
    given: Given,
    provider: ProviderId,
    service: ServiceId,
    percent: int,
    charge: str,
    refund: str | None,
) -> None:
    customer = given.customer("10")
    hook, before = given.webhook(customer).id, given.balance(customer)
    placed(conn, customer, service, coupon=given.coupon(percent=percent))
    orders.apply_reports(conn, {given.accepted(provider): said(U.PARTIAL, remains=60)})
    sent = bodies(conn, hook)
    assert sent[0]["data"]["charge"] == charge
    assert [b["data"]["refund"] for b in sent if b["type"] == "order.refunded"] == (
        [refund] if refund else []
    )
    assert sent[-1]["data"]["charge"] == money.text(before - given.balance(customer))
    given.assert_books()


def test_a_refund_that_is_all_the_coupons_is_told_to_nobody_but_counted_each_time(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, service: ServiceId, hook: WebhookId
) -> None:
    order = placed(conn, customer, service, coupon=given.coupon(percent=100))
    tracked = given.accepted(provider)
    for remains in (40, 60, 80):
        orders.apply_reports(conn, {tracked: said(U.PARTIAL, remains=remains)})
    assert told(conn, customer, order)[2:] == ["order.partial", *["order.coupon_returned"] * 3]
    assert waiting(conn, hook) == ["order.created", "order.processing", "order.partial"]
    given.assert_books()


def test_a_drip_feed_is_told_as_one_order_that_counts_its_finished_runs(
    conn: Conn, given: Given, customer: Customer, provider: ProviderId, service: ServiceId, hook: WebhookId
) -> None:
    conn.execute("UPDATE services SET dripfeed = true WHERE id = %s", [service])
    order = placed(conn, customer, service, runs="3", interval="10")
    for number, remains in enumerate([0, 40, 0]):
        given.later(f"{number} hours")
        assert orders.make_runs(conn) == 1
        state = U.PARTIAL if remains else U.COMPLETED
        orders.apply_reports(conn, {given.accepted(provider): said(state, remains=remains)})
    runs_done = [(b["type"], b["data"]["runs_done"], b["data"]["charge"]) for b in bodies(conn, hook)]
    assert runs_done == [
        ("order.created", "0", "0.30"),
        ("order.processing", "0", "0.30"),
        ("order.in_progress", "1", "0.30"),
        ("order.refunded", "2", "0.26"),
        ("order.partial", "3", "0.26"),
    ]
    assert {b["data"]["runs"] for b in bodies(conn, hook)} == {"3"}
    assert {b["data"]["order"] for b in bodies(conn, hook)} == {ids.show(ids.ORDER, order)}
    query = "SELECT DISTINCT split_part(e.type, '.', 1) FROM events e JOIN orders o ON o.id = e.subject WHERE o.parent_id = %s"
    assert conn.execute(query, [order]).fetchall() == [("run",)]


def test_a_subscription_is_told_with_its_posts(
    conn: Conn, given: Given, customer: Customer, hook: WebhookId
) -> None:
    provider = given.provider()
    [service] = given.services(provider, [upstream_service(type_="Subscriptions")])
    parameters = {"username": "anna", "min": "10", "max": "20", "posts": "4", "delay": "0"}
    wish = orders.Draft(
        caller=accounts.digest(customer.key), service=service, request_id="s", parameters=parameters
    )
    assert isinstance(orders.place(conn, [wish])[0], Placed)
    tracked = given.accepted(provider)
    orders.apply_reports(conn, {tracked: said(U.IN_PROGRESS, posts_done=1)})
    orders.apply_reports(conn, {tracked: said(U.CANCELLED, posts_done=3)})
    posts = [(b["type"], b["data"]["posts"], b["data"]["posts_done"]) for b in bodies(conn, hook)]
    assert posts == [
        ("order.created", "4", "0"),
        ("order.processing", "4", "0"),
        ("order.in_progress", "4", "1"),
        ("order.partial", "4", "3"),
        ("order.refunded", "4", "3"),
    ]


@pytest.mark.parametrize("granted", [True, False])
def test_a_refill_is_told_when_it_is_asked_for_and_when_it_ends(
    conn: Conn,
    given: Given,
    customer: Customer,
    provider: ProviderId,
    service: ServiceId,
    hook: WebhookId,
    granted: bool,  # noqa: FBT001 (a parameter of the test)
) -> None:
    order = given.ended(customer, service)
    wish = Wanted(id=RefillId(ids.new()), account_id=customer.account, order_id=order)
    assert refills.request(conn, [wish], actor="customer") == [wish.id]
    [asked] = refills.claim(conn, provider, most=10, lease=LEASE)
    if granted:
        refills.record(conn, {asked: RefillTaken(upstream_id="7")})
        given.later("1 minute")
        [again] = refills.claim(conn, provider, most=10, lease=LEASE)
        refills.record(conn, {again: RefillReport(state=RefillState.COMPLETED, word="Completed")})
    else:
        refills.record(conn, {asked: RefillRefused(text="no")})
    about = {"refill": ids.show(ids.REFILL, wish.id), "order": ids.show(ids.ORDER, order)}
    end = "completed" if granted else "rejected"
    assert [(b["type"], b["data"]) for b in bodies(conn, hook)][3:] == [
        ("refill.created", {**about, "status": "pending", "sequence": 1}),
        (f"refill.{end}", {**about, "status": end, "sequence": 2}),
    ]


def lows(conn: Conn, webhook: WebhookId) -> list[tuple[str, str]]:
    sent = [b["data"] for b in bodies(conn, webhook) if b["type"] == "balance.low"]
    return [(data["balance"], data["threshold"]) for data in sent]


def test_a_balance_is_told_as_low_each_time_it_falls_below_its_threshold(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, hook: WebhookId
) -> None:
    ledger.set_low_balance(conn, customer.account, money.parse("9.80"))
    placed(conn, customer, service)  # 9.90
    placed(conn, customer, service)  # 9.80: not below
    assert lows(conn, hook) == []
    placed(conn, customer, service)  # 9.70
    placed(conn, customer, service)  # 9.60: still
    assert lows(conn, hook) == [("9.70", "9.80")]
    given.deposit(customer.account, "0.20")
    placed(conn, customer, service)
    assert lows(conn, hook) == [("9.70", "9.80"), ("9.70", "9.80")]
    versions = "SELECT sequence FROM events WHERE subject = %s ORDER BY sequence"
    assert conn.execute(versions, [customer.account]).fetchall() == [(4,), (7,)]
    given.assert_books()


def test_a_set_of_orders_that_crosses_the_threshold_tells_it_once(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, hook: WebhookId
) -> None:
    ledger.set_low_balance(conn, customer.account, money.parse("9.75"))
    poor = given.customer("1")
    unwatched = given.webhook(poor).id
    orders.place(conn, [draft(who, service) for who in (customer, poor) for _ in range(5)])
    assert lows(conn, hook) == [("9.50", "9.75")]
    assert lows(conn, unwatched) == []


def test_a_balance_that_is_low_already_or_watched_no_more_is_not_told(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, hook: WebhookId
) -> None:
    ledger.set_low_balance(conn, customer.account, money.parse("50"))
    placed(conn, customer, service)
    ledger.set_low_balance(conn, customer.account, money.parse("9.85"))
    ledger.set_low_balance(conn, customer.account, None)
    placed(conn, customer, service)
    assert lows(conn, hook) == []


def test_what_only_passes_through_a_wallet_makes_it_neither_rich_nor_poor(
    conn: Conn, given: Given, customer: Customer, service: ServiceId, hook: WebhookId
) -> None:
    """A coupon's money comes in and leaves again in the same act."""
    ledger.set_low_balance(conn, customer.account, money.parse("10.05"))
    placed(conn, customer, service, coupon=given.coupon(percent=100))
    assert lows(conn, hook) == []


@pytest.mark.parametrize("low", [0, -1])
def test_a_threshold_is_above_zero(conn: Conn, customer: Customer, low: int) -> None:
    with pytest.raises(ledger.AmountNotPositive):
        ledger.set_low_balance(conn, customer.account, money.Micros(low))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(st.lists(st.integers(-300, 300).filter(bool), max_size=12), st.integers(1, 400))
def test_low_balances_are_told_exactly_where_a_transfer_crosses_downwards(
    conn: Conn, moves: list[int], threshold: int
) -> None:
    given = Given(conn)
    account = given.customer("0.0002").account
    ledger.set_low_balance(conn, account, money.Micros(threshold))
    balance, crossings = 200, []
    for move in moves:
        if balance + move < 0:
            continue
        books = ("adjustment", "wallet") if move > 0 else ("wallet", "adjustment")
        entry = ledger.Entry(
            posting=ids.new(),
            source=books[0],
            target=books[1],
            amount_micros=money.Micros(abs(move)),
            reason="test",
            actor="staff",
        )
        ledger.transfer(conn, account, entry)
        crossings += [balance + move] if balance + move < threshold <= balance else []
        balance += move
    timeline = events.timeline(conn, account, account)
    assert [(e.type, e.data["balance_micros"], e.data["threshold_micros"]) for e in timeline] == [
        ("balance.low", low, threshold) for low in crossings
    ]


def test_what_is_rolled_back_is_told_to_nobody(pool: Pool) -> None:
    with pool.transaction() as conn:
        given = Given(conn)
        customer, service = given.customer("10"), given.service()
        hook = given.webhook(customer).id
    with pool.transaction() as conn:
        placed(conn, customer, service)
        assert waiting(conn, hook) == ["order.created"]
        raise psycopg.Rollback
    with pool.transaction() as conn:
        assert waiting(conn, hook) == []
