"""How one engine delivers: what it makes of each answer, whom it lets wait, and what it leaves behind when it stops."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from aiohttp.resolver import AsyncResolver
from shops import desk, rows, until
from standardwebhooks.webhooks import Webhook

import receivers
from connectors.upstreams import black_hole, refusing_port
from given import Customer, Given
from hooks import endpoint, told
from panelry import settings as panelry_settings
from panelry.database.pool import Pool
from panelry.domain import ids
from panelry.domain.webhooks import Registered
from panelry.engine import deliveries, leases
from panelry.engine.deliveries import Deliveries
from panelry.engine.desk import Desk
from panelry.settings import Settings
from receivers import receiving


@pytest.fixture
def settings(fresh_database: str) -> Settings:
    loaded = panelry_settings.load({"PANELRY_DEVELOPMENT": "1"})
    return replace(loaded, database_url=fresh_database, webhook_total_seconds=0.5)


def given_shop(pool: Pool, url: str, *, events: int = 1) -> tuple[Customer, Registered]:
    """Make a customer with an endpoint that is to be told this much."""
    with pool.transaction() as conn:
        customer = Given(conn).customer()
        shop = endpoint(conn, customer, url)
        told(conn, customer, events)
        return customer, shop


def registered(pool: Pool, url: str, *, events: int = 1) -> Registered:
    return given_shop(pool, url, events=events)[1]


@asynccontextmanager
async def working(pool: Pool, settings: Settings) -> AsyncIterator[tuple[Deliveries, Desk]]:
    """Deliver until the end of the block."""
    async with desk(pool, settings) as one, deliveries.client(settings) as http:
        loop = Deliveries(one, http)
        repeated = leases.repeat("deliveries", loop.deliver, stop=one.stop, idle_seconds=0.05)
        task = asyncio.create_task(repeated)
        try:
            yield loop, one
        finally:
            one.stop.set()
            await task
            await loop.drain(1)


def delivered(pool: Pool, settings: Settings, *, attempts: int = 1) -> list[Any]:
    """Deliver until there were so many attempts; return what is known of them."""

    async def work() -> None:
        async with working(pool, settings):
            await until(lambda: rows(pool, "SELECT count(*) FROM delivery_attempts") >= [(attempts,)])

    asyncio.run(work())
    return rows(pool, "SELECT status, error, response FROM delivery_attempts ORDER BY at, event_id")


def test_a_delivery_arrives_signed_as_json_under_its_events_id(fresh_pool: Pool, settings: Settings) -> None:
    with receiving({"shop": receivers.takes}) as shops:
        shop = registered(fresh_pool, shops.url("shop"))
        assert delivered(fresh_pool, settings) == [(200, "", "thanks")]
    [heard] = shops.heard
    said = Webhook(shop.secret).verify(heard.body, dict(heard.headers))
    [[event_id]] = rows(fresh_pool, "SELECT event_id FROM deliveries")
    assert said["id"] == heard.id == ids.show(ids.EVENT, event_id)
    assert heard.headers["content-type"] == "application/json"
    assert not {"cookie", "authorization"} & heard.headers.keys()
    assert rows(fresh_pool, "SELECT state FROM deliveries") == [("delivered",)]


@pytest.mark.parametrize(
    ("behaviour", "status", "error", "state"),
    [
        (receivers.floods, 200, "", "delivered"),
        (receivers.fails, 500, "", "waiting"),
        (receivers.redirects, 307, "", "waiting"),
        (receivers.is_gone, 410, "", "exhausted"),
        (receivers.talks_garbage, None, "Bad status line", "waiting"),
        (receivers.resets, None, "reset", "waiting"),
        (receivers.stalls, None, "no complete answer within 0.5 s", "waiting"),
        (receivers.trickles, None, "no complete answer within 0.5 s", "waiting"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_of_all_answers_only_2xx_is_a_success(
    fresh_pool: Pool, settings: Settings, behaviour: Any, status: int | None, error: str, state: str
) -> None:
    with receiving({"shop": behaviour}) as shops:
        registered(fresh_pool, shops.url("shop"))
        [(seen, why, response)] = delivered(fresh_pool, settings)
    assert (seen, len(response) <= 4096) == (status, True)
    assert error in why
    assert rows(fresh_pool, "SELECT state, attempt FROM deliveries") == [(state, 1)]
    assert [heard.path for heard in shops.heard] == ["shop"]


def test_what_does_not_connect_is_tried_later(fresh_pool: Pool, settings: Settings) -> None:
    with refusing_port() as nobody, black_hole() as nowhere:
        for url in (nobody, nowhere, "http://nobody.invalid/hook"):
            registered(fresh_pool, url)
        results = delivered(fresh_pool, settings, attempts=3)
    assert [status for status, _, _ in results] == [None] * 3
    assert all(error for _, error, _ in results)
    assert rows(fresh_pool, "SELECT DISTINCT state FROM deliveries") == [("waiting",)]


def test_without_the_development_switch_an_endpoint_of_this_machine_is_never_called(
    fresh_pool: Pool, settings: Settings
) -> None:
    with receiving({"shop": receivers.takes}) as shops:
        for url in (shops.url("shop"), f"https://127.0.0.1:{shops.port}/shop", "https://localhost/shop"):
            registered(fresh_pool, url)
        results = delivered(fresh_pool, replace(settings, development=False), attempts=3)
    assert {status for status, _, _ in results} == {None}
    assert all("may not be called" in error for _, error, _ in results)
    assert shops.heard == []


def test_a_secret_that_cannot_be_opened_sends_nothing_unsigned(fresh_pool: Pool, settings: Settings) -> None:
    with receiving({"shop": receivers.takes}) as shops:
        registered(fresh_pool, shops.url("shop"))
        with fresh_pool.transaction() as conn:
            conn.execute("UPDATE webhooks SET sealed_secret = 'garbage'")
        [(status, error, _)] = delivered(fresh_pool, settings)
    assert (status, "cannot open" in error, shops.heard) == (None, True, [])


def test_a_healthy_endpoint_has_all_of_its_backlog_while_dead_ones_hang(
    fresh_pool: Pool, settings: Settings
) -> None:
    """More dead ones than there are places: they hold only their half."""
    patient = replace(settings, webhook_total_seconds=60.0)
    half = deliveries.PLACES // 2

    async def work(shops: receivers.Receivers) -> None:
        customer, healthy = given_shop(fresh_pool, shops.url("healthy"))
        query = "SELECT count(*) FROM deliveries WHERE webhook_id = %s AND state = 'delivered'"
        async with working(fresh_pool, patient) as (loop, _):
            await until(lambda: rows(fresh_pool, query, healthy.id) == [(1,)])
            for _ in range(half // 2 + 10):
                registered(fresh_pool, shops.url("dead"), events=3)
            await until(lambda: len(loop._calls) == half)
            with fresh_pool.transaction() as conn:
                told(conn, customer, 50)
            await until(lambda: rows(fresh_pool, query, healthy.id) == [(51,)])
            assert len(loop._calls) == half
            await loop.drain(0)

    with receiving({"healthy": receivers.takes, "dead": receivers.stalls}) as shops:
        asyncio.run(work(shops))
    assert shops.most["healthy"] <= 2


def test_a_new_endpoint_has_its_first_delivery_before_failing_ones_have_their_next(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def work(shops: receivers.Receivers) -> None:
        async with working(fresh_pool, settings):
            for _ in range(deliveries.PLACES // 2 + 10):
                registered(fresh_pool, shops.url("dead"), events=20)
            await until(lambda: rows(fresh_pool, "SELECT count(*) FROM delivery_attempts") >= [(100,)])
            new = registered(fresh_pool, shops.url("new"))
            query = "SELECT state FROM deliveries WHERE webhook_id = %s"
            await until(lambda: rows(fresh_pool, query, new.id) == [("delivered",)], seconds=5)
            assert rows(fresh_pool, "SELECT count(*) FROM deliveries WHERE attempts = 0") > [(1000,)]

    with receiving({"new": receivers.takes, "dead": receivers.stalls}) as shops:
        asyncio.run(work(shops))


def test_an_endpoint_is_told_over_the_same_connections(fresh_pool: Pool, settings: Settings) -> None:
    with receiving({"shop": receivers.takes}) as shops:
        registered(fresh_pool, shops.url("shop"), events=40)
        delivered(fresh_pool, settings, attempts=40)
    assert len(shops.heard) == 40
    assert shops.connections <= 2


def test_a_name_server_that_never_answers_delays_nobody_else(
    fresh_pool: Pool, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More look-ups hang than any pool of threads would have threads."""
    with socket.socket(type=socket.SOCK_DGRAM) as silent, receiving({"shop": receivers.takes}) as shops:
        silent.bind(("127.0.0.1", 0))
        there = {"nameservers": ["127.0.0.1"], "udp_port": silent.getsockname()[1]}
        monkeypatch.setattr("panelry.connectors.names.AsyncResolver", partial(AsyncResolver, **there))

        async def work() -> None:
            async with working(fresh_pool, replace(settings, webhook_total_seconds=15.0)) as (loop, _):
                await until(lambda: len(loop._calls) == 60)
                shop = registered(fresh_pool, shops.url("shop").replace("127.0.0.1", "localhost"), events=20)
                query = "SELECT count(*) FROM deliveries WHERE webhook_id = %s AND state = 'delivered'"
                await until(lambda: rows(fresh_pool, query, shop.id) == [(20,)], seconds=2.5)
                assert rows(fresh_pool, "SELECT count(*) FROM delivery_attempts") == [(20,)]
                await loop.drain(0)

        for number in range(30):
            registered(fresh_pool, f"http://shop-{number}.example/hook", events=3)
        asyncio.run(work())


def test_what_comes_back_while_the_database_is_away_is_recorded_when_it_is_back(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def work(shops: receivers.Receivers) -> None:
        async with working(fresh_pool, settings):
            with fresh_pool.transaction() as conn:
                conn.execute("LOCK TABLE delivery_attempts IN ACCESS EXCLUSIVE MODE")
                await until(lambda: len(shops.heard) == 1)
                await asyncio.sleep(0.1)
                conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            await until(lambda: rows(fresh_pool, "SELECT state FROM deliveries") == [("delivered",)])

    with receiving({"shop": receivers.takes}) as shops:
        registered(fresh_pool, shops.url("shop"))
        asyncio.run(work(shops))
    assert len(shops.heard) == 1


def test_an_engine_that_stops_waits_for_its_attempts_and_leaves_the_rest_to_the_next(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def slowly(line: receivers.Line) -> None:
        await asyncio.sleep(0.3)
        await line.say("204 No Content")

    async def work(shops: receivers.Receivers) -> None:
        async with working(fresh_pool, replace(settings, webhook_total_seconds=30.0)):
            await until(lambda: len(shops.heard) == 2)

    with receiving({"slow": slowly, "dead": receivers.stalls}) as shops:
        registered(fresh_pool, shops.url("slow"))
        registered(fresh_pool, shops.url("dead"))
        asyncio.run(work(shops))
    states = rows(fresh_pool, "SELECT state, attempts FROM deliveries ORDER BY state")
    assert states == [("delivered", 1), ("sending", 1)]
