"""Whatever was delivered or given up can be delivered again, under the id that it had."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from given import Given
from hooks import BAD, OK, answered, claim, endpoint, states, told
from panelry.database.pool import Conn, Pool
from panelry.domain import ids, webhooks
from panelry.domain.webhooks import NoSuchWebhook, Reason, WebhookDisabled, WebhookId


@pytest.fixture
def conn(module_pool: Pool) -> Iterator[Conn]:
    """Lend a transaction of a database in which nobody else delivers anything."""
    with module_pool.transaction() as conn:
        yield conn
        raise psycopg.Rollback


def test_what_was_delivered_is_delivered_again_at_once_with_the_same_id_and_body(given: Given) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    told(given.conn, customer, 2)
    first, _ = answered(given.conn, OK)
    assert webhooks.redeliver(given.conn, shop.id, [first.told.event_id]) == 1
    [again] = claim(given.conn)
    assert (again.told, again.number) == (first.told, 2)
    assert webhooks.body(again.told, currency="USD") == webhooks.body(first.told, currency="USD")


def test_what_was_exhausted_has_its_whole_schedule_again(given: Given) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    told(given.conn, customer)
    [claimed] = answered(given.conn, BAD)
    given.conn.execute("UPDATE deliveries SET attempt = 10, due_at = clock_now()")
    answered(given.conn, BAD)
    assert states(given.conn, shop.id) == ["exhausted"]
    assert webhooks.redeliver(given.conn, shop.id, [claimed.told.event_id]) == 1
    answered(given.conn, BAD)
    rows = given.conn.execute(
        "SELECT state, attempt, attempts, due_at - clock_now() FROM deliveries"
    ).fetchall()
    [(state, attempt, attempts, wait)] = rows
    assert (state, attempt, attempts) == ("waiting", 1, 3)
    assert wait < timedelta(seconds=6)


def test_what_waits_for_a_later_attempt_is_due_now(given: Given) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    [event] = told(given.conn, customer)
    answered(given.conn, BAD)
    assert claim(given.conn) == []
    assert webhooks.redeliver(given.conn, shop.id, [event.id]) == 1
    [claimed] = claim(given.conn)
    assert claimed.number == 2
    assert webhooks.redeliver(given.conn, shop.id, [event.id]) == 0, "it is being sent just now"


def test_a_range_is_what_was_written_in_it(given: Given) -> None:
    customer = given.customer()
    shop = endpoint(given.conn, customer)
    [[now]] = given.conn.execute("SELECT clock_now()").fetchall()
    hour = timedelta(hours=1)
    for number in range(4):
        given.later(f"{number} hours")
        told(given.conn, customer)
        answered(given.conn, OK if number % 2 else BAD)
        given.conn.execute(
            "UPDATE deliveries SET state = 'exhausted', due_at = NULL, finished_at = now() WHERE state = 'waiting'"
        )

    def redeliver(since: int, until: int, *, only_failed: bool) -> int:
        return webhooks.redeliver_range(
            given.conn, shop.id, since=now + since * hour, until=now + until * hour, only_failed=only_failed
        )

    assert redeliver(4, 9, only_failed=False) == 0
    assert redeliver(1, 3, only_failed=True) == 1
    assert states(given.conn, shop.id) == ["exhausted", "delivered", "waiting", "delivered"]
    assert redeliver(0, 2, only_failed=False) == 2
    assert states(given.conn, shop.id) == ["waiting", "waiting", "waiting", "delivered"]


def test_only_the_endpoint_that_is_named_is_told_again(given: Given) -> None:
    customer = given.customer()
    shop, other = endpoint(given.conn, customer), endpoint(given.conn, customer)
    [event] = told(given.conn, customer)
    answered(given.conn, OK)
    elsewhere = given.customer()
    endpoint(given.conn, elsewhere)
    [foreign] = told(given.conn, elsewhere)
    answered(given.conn, OK)
    assert webhooks.redeliver(given.conn, shop.id, [event.id, foreign.id, ids.new()]) == 1
    assert states(given.conn, other.id) == ["delivered"]


def test_nothing_is_sent_again_to_an_endpoint_that_is_disabled_removed_or_unknown(given: Given) -> None:
    customer = given.customer()
    shop, removed = endpoint(given.conn, customer), endpoint(given.conn, customer)
    [event] = told(given.conn, customer)
    answered(given.conn, OK)
    webhooks.disable(given.conn, [shop.id], reason=Reason.OWNER)
    webhooks.remove(given.conn, customer.account, removed.id)
    for id_, why in (
        (shop.id, WebhookDisabled),
        (removed.id, WebhookDisabled),
        (WebhookId(ids.new()), NoSuchWebhook),
    ):
        with pytest.raises(why):
            webhooks.redeliver(given.conn, id_, [event.id])
        with pytest.raises(why):
            webhooks.redeliver_range(given.conn, id_, since=event.at, until=event.at, only_failed=True)
    assert states(given.conn, shop.id) == ["delivered"]
