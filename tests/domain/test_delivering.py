"""Deliveries are tried until they are taken or exhausted, under one id with one body, and change their endpoint."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from standardwebhooks.webhooks import Webhook

from given import VAULT, Given
from hooks import BAD, GONE, OK, answered, claim, endpoint, states, told
from panelry import clock
from panelry.database.pool import Conn, Pool
from panelry.domain import ids, webhooks
from panelry.domain.webhooks import Claimed, Result, WebhookId

SCHEDULE = [
    "5 seconds",
    "5 minutes",
    "30 minutes",
    "2 hours",
    "5 hours",
    "10 hours",
    "14 hours",
    "20 hours",
    "24 hours",
]


@pytest.fixture
def conn(module_pool: Pool) -> Iterator[Conn]:
    """Lend a transaction of a database in which nobody else delivers anything."""
    with module_pool.transaction() as conn:
        yield conn
        raise psycopg.Rollback


class Clock:
    """Lets time pass in steps."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._passed = timedelta(0)

    def passes(self, seconds: float) -> None:
        self._passed += timedelta(seconds=seconds)
        self._given.later(f"{self._passed.total_seconds()} seconds")


@pytest.fixture
def time(given: Given) -> Clock:
    return Clock(given)


def delivery(conn: Conn, claimed: Claimed) -> dict[str, Any]:
    query = "SELECT state, attempt, attempts, due_at - clock_now() AS wait FROM deliveries WHERE webhook_id = %s AND event_id = %s"
    cursor = conn.cursor(row_factory=psycopg.rows.dict_row)
    [row] = cursor.execute(query, [claimed.webhook_id, claimed.told.event_id]).fetchall()
    return row


def webhook(conn: Conn, webhook_id: WebhookId) -> Any:
    cursor = conn.cursor(row_factory=psycopg.rows.namedtuple_row)
    [row] = cursor.execute("SELECT * FROM webhooks WHERE id = %s", [webhook_id]).fetchall()
    return row


def letters(conn: Conn) -> list[tuple[str, dict[str, Any]]]:
    return conn.execute("SELECT recipient, data FROM letters WHERE template = 'webhook_disabled'").fetchall()


def body(claimed: Claimed) -> bytes:
    return webhooks.body(claimed.told, currency="USD")


def test_what_happened_is_delivered_as_it_was_and_signed(given: Given) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    [event] = told(given.conn, customer)
    [claimed] = claim(given.conn)
    assert (claimed.account_id, claimed.webhook_id, claimed.url) == (customer.account, shop.id, shop.url)
    assert (claimed.told.event_id, claimed.told.data, claimed.number) == (event.id, event.data, 1)
    headers = webhooks.signed_headers("evt_1", body(claimed), secrets=claimed.secrets, at=clock.now())
    assert Webhook(shop.secret).verify(body(claimed), headers)["id"] == ids.show(ids.EVENT, event.id)
    assert shop.secret not in repr(claimed)
    webhooks.record(given.conn, {claimed: OK})
    assert states(given.conn, shop.id) == ["delivered"]
    assert claim(given.conn) == []


def test_a_delivery_about_an_order_knows_its_request_id(given: Given) -> None:
    customer = given.customer("10")
    endpoint(given.conn, customer, events=["order.created"])
    given.placed(customer, given.service())
    requests = [request for (request,) in given.conn.execute("SELECT request_id FROM orders")]
    assert [claimed.told.request_id for claimed in claim(given.conn)] == requests


def test_a_delivery_that_always_fails_follows_the_schedule_and_is_exhausted(
    given: Given, time: Clock
) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    told(given.conn, customer)
    bodies, waits = set(), []
    for number in range(1, 11):
        [claimed] = answered(given.conn, BAD)
        assert claimed.number == number
        bodies.add((claimed.told.event_id, body(claimed)))
        wait = delivery(given.conn, claimed)["wait"]
        if number < 10:
            waits.append(wait)
            time.passes(wait.total_seconds() - 1)
            assert claim(given.conn) == []
            time.passes(1.001)
    assert len(bodies) == 1
    for text, wait in zip(SCHEDULE, waits, strict=True):
        [[expected]] = given.conn.execute("SELECT %s::interval", [text]).fetchall()
        assert expected * 0.9 <= wait <= expected * 1.1
    assert states(given.conn, shop.id) == ["exhausted"]
    assert claim(given.conn) == []
    numbers = given.conn.execute(
        "SELECT number, status, response FROM delivery_attempts ORDER BY number"
    ).fetchall()
    assert numbers == [(number, 500, "sorry") for number in range(1, 11)]


def test_an_endpoint_that_asks_for_time_gets_it(given: Given, time: Clock) -> None:
    customer = given.customer()
    endpoint(given.conn, customer)
    told(given.conn, customer)
    [claimed] = answered(given.conn, replace(BAD, status=429, retry_after="3600"))
    assert delivery(given.conn, claimed)["wait"] == timedelta(hours=1)


def test_whatever_an_endpoint_answers_can_be_kept(given: Given) -> None:
    customer = given.customer()
    endpoint(given.conn, customer)
    told(given.conn, customer, 2)
    nasty = [
        Result(took_milliseconds=0, status=200, response=b"\xff" * 10_000),
        Result(took_milliseconds=1, error="\udcff\0" * 1000, response=b"a\0b"),
    ]
    webhooks.record(given.conn, dict(zip(claim(given.conn), nasty, strict=True)))
    kept = given.conn.execute(
        "SELECT response, error FROM delivery_attempts ORDER BY took_milliseconds"
    ).fetchall()
    assert kept == [("\ufffd" * 4096, ""), ("a\ufffdb", "?\ufffd" * 250)]


def test_an_endpoint_has_two_attempts_under_way_the_oldest_first(given: Given) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    happened = []
    for second in range(5):
        given.later(f"{second} seconds")
        happened += told(given.conn, customer)
    first = claim(given.conn)
    assert {claimed.told.event_id for claimed in first} == {event.id for event in happened[:2]}
    assert claim(given.conn) == []
    webhooks.record(given.conn, {c: OK for c in first if c.told.event_id == happened[1].id})
    second = claim(given.conn)
    assert [claimed.told.event_id for claimed in second] == [happened[2].id]
    assert states(given.conn, shop.id) == ["sending", "delivered", "sending", "waiting", "waiting"]


def test_what_a_lost_engine_was_sending_is_sent_again_and_its_late_answer_undoes_nothing(
    given: Given, time: Clock
) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    told(given.conn, customer)
    [lost] = claim(given.conn)
    time.passes(29.9)
    assert claim(given.conn) == []
    time.passes(0.2)
    [again] = claim(given.conn)
    assert (again.number, again.told) == (2, lost.told)
    webhooks.record(given.conn, {lost: BAD})
    assert delivery(given.conn, again)["state"] == "sending"
    webhooks.record(given.conn, {again: OK})
    webhooks.record(given.conn, {lost: BAD, again: BAD})
    assert states(given.conn, shop.id) == ["delivered"]
    kept = given.conn.execute("SELECT number, status FROM delivery_attempts ORDER BY number").fetchall()
    assert kept == [(1, 500), (2, 200)]


def test_an_endpoint_knows_how_it_does(given: Given, time: Clock) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    told(given.conn, customer)
    answered(given.conn, BAD)
    failing = webhook(given.conn, shop.id)
    assert failing.last_result == "HTTP 500"
    assert failing.failing_since == failing.last_attempt_at
    time.passes(6)
    answered(given.conn, Result(took_milliseconds=1, error="no complete answer within 15 s"))
    still = webhook(given.conn, shop.id)
    assert (still.failing_since, still.last_result) == (
        failing.failing_since,
        "no complete answer within 15 s",
    )
    time.passes(400)
    answered(given.conn, OK)
    well = webhook(given.conn, shop.id)
    assert (well.failing_since, well.last_result, well.state) == (None, "HTTP 200", "active")
    assert well.last_success_at == well.last_attempt_at > failing.last_attempt_at


def test_an_endpoint_that_says_gone_is_disabled_at_once_and_its_owner_told_once(given: Given) -> None:
    customer = given.customer()
    shop, other = endpoint(given.conn, customer), endpoint(given.conn, customer, "https://other.example/")
    told(given.conn, customer, 4)
    results = {c: GONE if c.webhook_id == shop.id else OK for c in claim(given.conn)}
    webhooks.record(given.conn, results)
    disabled = webhook(given.conn, shop.id)
    assert (disabled.state, disabled.reason) == ("disabled", "gone")
    assert states(given.conn, shop.id) == ["exhausted"] * 4
    assert sorted(states(given.conn, other.id)) == ["delivered", "delivered", "waiting", "waiting"]
    [(recipient, data)] = letters(given.conn)
    assert recipient == customer.email
    assert data == {
        "url": shop.url,
        "webhook": ids.show(ids.WEBHOOK, shop.id),
        "reason": "gone",
        "since": disabled.failing_since.isoformat(),
        "last_result": "HTTP 410",
    }


def test_five_days_without_a_success_disable_an_endpoint(given: Given, time: Clock) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    told(given.conn, customer)
    answered(given.conn, BAD)
    time.passes(5 * 86_400 - 10)
    told(given.conn, customer)
    answered(given.conn, BAD)
    assert webhook(given.conn, shop.id).state == "active"
    time.passes(11)
    told(given.conn, customer, 3)
    assert answered(given.conn, BAD)
    assert webhook(given.conn, shop.id).reason == "failing"
    assert set(states(given.conn, shop.id)) == {"exhausted"}
    [(_, data)] = letters(given.conn)
    assert datetime.fromisoformat(data["since"]) == webhook(given.conn, shop.id).failing_since
    assert claim(given.conn) == []


def test_each_disabling_is_told_once(given: Given, time: Clock) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    for rounds in (1, 2):
        told(given.conn, customer, 2)
        answered(given.conn, GONE)
        assert len(letters(given.conn)) == rounds
        webhooks.enable(given.conn, customer.account, shop.id)
        time.passes(1)


def test_what_is_in_flight_when_its_endpoint_is_disabled_still_counts(given: Given) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    told(given.conn, customer, 3)
    one, two = claim(given.conn)
    webhooks.disable(given.conn, [shop.id], reason=webhooks.Reason.OWNER)
    webhooks.record(given.conn, {one: OK, two: BAD})
    assert sorted(states(given.conn, shop.id)) == ["delivered", "exhausted", "exhausted"]
    assert webhook(given.conn, shop.id).reason == "owner"
    assert letters(given.conn) == []


def test_what_a_lost_engine_was_sending_to_a_disabled_endpoint_is_given_up(given: Given, time: Clock) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    told(given.conn, customer)
    claim(given.conn)
    webhooks.disable(given.conn, [shop.id], reason=webhooks.Reason.OWNER)
    assert webhooks.end_abandoned(given.conn) == 0
    time.passes(31)
    assert claim(given.conn) == []
    assert webhooks.end_abandoned(given.conn) == 1
    assert states(given.conn, shop.id) == ["exhausted"]


def test_a_crowd_of_dead_endpoints_holds_only_its_share_and_healthy_ones_come_first(
    given: Given, time: Clock
) -> None:
    dead = [given.customer() for _ in range(20)]
    for customer in dead:
        endpoint(given.conn, customer)
        told(given.conn, customer, 3)
    assert len(answered(given.conn, BAD) + answered(given.conn, BAD)) == 60
    healthy = given.customer()
    shop = endpoint(given.conn, healthy)
    told(given.conn, healthy)
    assert [c.webhook_id for c in answered(given.conn, OK)] == [shop.id]
    time.passes(10)
    told(given.conn, healthy, 3)
    claimed = claim(given.conn, most=12, doubtful=6)
    assert [c.webhook_id for c in claimed if not c.is_doubtful] == [shop.id, shop.id]
    assert len([c for c in claimed if c.is_doubtful]) == 6
    assert len(claim(given.conn, most=12, doubtful=0)) == 0


def test_for_a_day_after_a_rotation_both_secrets_sign(given: Given, time: Clock) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    new = webhooks.rotate_secret(given.conn, VAULT, customer.account, shop.id)
    told(given.conn, customer)
    [claimed] = answered(given.conn, OK)
    assert claimed.secrets == (new, shop.secret)
    time.passes(24 * 3600 + 1)
    told(given.conn, customer)
    [claimed] = answered(given.conn, OK)
    assert claimed.secrets == (new,)


def test_a_secret_that_cannot_be_opened_keeps_nobody_else_waiting(given: Given) -> None:
    customer = given.customer()
    shop, other = endpoint(given.conn, customer), endpoint(given.conn, customer)
    given.conn.execute("UPDATE webhooks SET sealed_secret = 'garbage' WHERE id = %s", [shop.id])
    told(given.conn, customer)
    assert {c.webhook_id: len(c.secrets) for c in claim(given.conn)} == {shop.id: 0, other.id: 1}


def test_deliveries_are_forgotten_30_days_after_their_end(given: Given, time: Clock) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    told(given.conn, customer, 2)
    answered(given.conn, OK)
    time.passes(30 * 86_400 - 60)
    told(given.conn, customer)
    assert webhooks.forget(given.conn) == 0
    time.passes(120)
    assert webhooks.forget(given.conn, most=1) == 1
    assert webhooks.forget(given.conn) == 1
    assert states(given.conn, shop.id) == ["waiting"]
    [[attempts]] = given.conn.execute("SELECT count(*) FROM delivery_attempts").fetchall()
    assert attempts == 0
