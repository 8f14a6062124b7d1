"""Following orders and keeping in step with providers: one that is slow, down or lying keeps no other one waiting."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from shops import accepted_at, desk, orders_at, rows, shop, until

from panelry import settings as panelry_settings
from panelry.database.pool import Pool
from panelry.domain import providers
from panelry.domain.providers import ProviderId
from panelry.engine import upkeep
from panelry.engine.tracking import Tracking
from panelry.settings import Settings


@pytest.fixture
def settings(fresh_database: str) -> Settings:
    return replace(panelry_settings.load({"PANELRY_DEVELOPMENT": "1"}), database_url=fresh_database)


def _finished(pool: Pool, provider: ProviderId) -> int:
    states = rows(pool, "SELECT state FROM orders WHERE provider_id = %s", provider)
    return states.count(("completed",))


def test_a_provider_that_hangs_delays_no_other(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with (
            shop(answer={"status": "wait"}) as slow,
            shop() as quick,
            desk(fresh_pool, settings) as one,
        ):
            accepted_at(fresh_pool, slow.url, 2)
            other = accepted_at(fresh_pool, quick.url, 2)
            tracking = Tracking(one)
            assert await tracking.follow() == 4
            await until(lambda: _finished(fresh_pool, other) == 2)
            assert await tracking.follow() == 0
            assert len(slow.of("status")) == 1
            await tracking.drain(0.1)

    asyncio.run(run())


def test_one_call_asks_about_a_hundred(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with shop() as upstream, desk(fresh_pool, settings) as one:
            provider = accepted_at(fresh_pool, upstream.url, 130)
            tracking = Tracking(one)
            while _finished(fresh_pool, provider) < 130:
                await tracking.follow()
                await tracking.drain(10)
            assert sorted(len(form["orders"].split(",")) for form in upstream.of("status")) == [30, 100]

    asyncio.run(run())


def test_where_many_wait_several_calls_are_under_way_half_as_many_as_the_provider_takes(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> list[int]:
        async with shop(answer={"status": "wait"}) as upstream, desk(fresh_pool, settings) as one:
            provider = accepted_at(fresh_pool, upstream.url, 350)
            rows(fresh_pool, "UPDATE providers SET max_in_flight = 6 RETURNING 1")
            tracking = Tracking(one)
            for _ in range(3):
                await tracking.follow()
            under_way = [len(call["orders"].split(",")) for call in upstream.of("status")]
            upstream.resume.set()
            while _finished(fresh_pool, provider) < 350:
                await tracking.follow()
            await tracking.drain(10)
            return under_way

    assert asyncio.run(run()) == [100, 100, 100]


def test_a_provider_is_asked_half_as_often_within_a_second_as_it_is_sent_orders(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> int:
        async with shop() as upstream, desk(fresh_pool, settings) as one:
            provider = accepted_at(fresh_pool, upstream.url, 350)
            rows(fresh_pool, "UPDATE providers SET per_second = 4 RETURNING 1")
            tracking = Tracking(one)
            for _ in range(3):
                await tracking.follow()
                await tracking.drain(10)
            assert _finished(fresh_pool, provider) == 200
            return len(upstream.of("status"))

    assert asyncio.run(run()) == 2


def test_what_falls_due_beside_a_call_that_is_no_full_page_waits_until_that_is_back(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> list[int]:
        async with shop(answer={"status": "wait"}) as upstream, desk(fresh_pool, settings) as one:
            provider = accepted_at(fresh_pool, upstream.url, 30)
            tracking, asked = Tracking(one), []
            rows(fresh_pool, "UPDATE submissions SET due_at = due_at + interval '1 hour' WHERE id IN (SELECT id FROM submissions LIMIT 10) RETURNING 1")  # fmt: skip
            asked.append(await tracking.follow())
            await until(lambda: upstream.of("status"))
            rows(fresh_pool, "UPDATE submissions SET due_at = clock_now() WHERE due_at > clock_now() RETURNING 1")  # fmt: skip
            asked.append(await tracking.follow())
            upstream.resume.set()
            await until(lambda: _finished(fresh_pool, provider) == 20)
            asked.append(await tracking.follow())
            await tracking.drain(10)
            return asked

    assert asyncio.run(run()) == [20, 0, 10]


STUMBLING = """
    CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stumbled'; END $$;
    CREATE TRIGGER stumble BEFORE UPDATE OF state ON submissions FOR EACH ROW WHEN (NEW.id = 'STONE')
    EXECUTE FUNCTION stumble();"""


def test_a_page_that_cannot_be_applied_keeps_no_other_one_back(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> int:
        async with shop() as upstream, desk(fresh_pool, settings) as one:
            provider = accepted_at(fresh_pool, upstream.url, 400)
            [[stone]] = rows(fresh_pool, "SELECT id FROM submissions LIMIT 1")
            with fresh_pool.connection() as conn:
                conn.execute(STUMBLING.replace("STONE", str(stone)).encode())
            tracking = Tracking(one)
            await tracking.follow()
            await tracking.drain(30)
            return _finished(fresh_pool, provider)

    assert asyncio.run(run()) == 300


def test_a_provider_that_cannot_be_asked_is_asked_less_and_less(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> list[float]:
        waits = []
        async with (
            shop(answer={"status": {"error": "try later"}}) as upstream,
            desk(fresh_pool, settings) as one,
        ):
            accepted_at(fresh_pool, upstream.url, 1)
            tracking = Tracking(one)
            for _ in range(3):
                rows(fresh_pool, "UPDATE submissions SET due_at = clock_now() RETURNING 1")
                await tracking.follow()
                await tracking.drain(10)
                [[wait]] = rows(
                    fresh_pool, "SELECT extract(epoch FROM due_at - clock_now())::float FROM submissions"
                )
                waits.append(wait)
        return waits

    first, second, third = asyncio.run(run())
    assert 0 < first < second < third


def _states(pool: Pool) -> list[Any]:
    return rows(pool, "SELECT state, pause_reason FROM providers ORDER BY id")


def test_a_balance_ends_a_pause_that_it_disproves_and_no_other(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with shop() as upstream, desk(fresh_pool, settings) as one:
            ours = [orders_at(fresh_pool, upstream.url, 0) for _ in range(3)]
            with fresh_pool.transaction() as conn:
                for provider, reason in zip(ours, ("funds", "key", "on holiday"), strict=True):
                    providers.pause(conn, [provider], reason)
            await upkeep.read_balances(one)

    asyncio.run(run())
    assert _states(fresh_pool) == [("active", ""), ("active", ""), ("paused", "on holiday")]


def test_empty_funds_keep_a_provider_paused(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        empty = {"balance": {"balance": "0", "currency": "USD"}}
        async with shop(answer=empty) as upstream, desk(fresh_pool, settings) as one:
            provider = orders_at(fresh_pool, upstream.url, 0)
            with fresh_pool.transaction() as conn:
                providers.pause(conn, [provider], "funds")
            await upkeep.read_balances(one)

    asyncio.run(run())
    assert _states(fresh_pool) == [("paused", "funds")]


@pytest.mark.parametrize(
    "said", [[], {"error": "maintenance"}, "<html>", [{"service": 77, "rate": "1"}]], ids=str
)
def test_a_list_that_is_not_to_be_believed_changes_nothing(
    fresh_pool: Pool, settings: Settings, said: Any
) -> None:
    async def run() -> tuple[list[Any], list[Any]]:
        async with shop(answer={"services": said}) as upstream, desk(fresh_pool, settings) as one:
            orders_at(fresh_pool, upstream.url, 1)
            before = rows(fresh_pool, "SELECT * FROM provider_services")
            await upkeep.sync_catalogues(one)
            return before, rows(fresh_pool, "SELECT * FROM provider_services")

    before, after = asyncio.run(run())
    assert before == after != []


def test_new_providers_are_met_once_and_an_unreachable_one_keeps_no_other_waiting(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> tuple[int, int]:
        async with shop() as upstream, desk(fresh_pool, settings) as one:
            with fresh_pool.transaction() as conn:
                for name, url in (("Gone", "http://127.0.0.1:9/api/v2"), ("Here", upstream.url)):
                    providers.add(conn, one.vault, name, url=url, key="a key")
            return await upkeep.meet_new_providers(one), await upkeep.meet_new_providers(one)

    assert asyncio.run(run()) == (2, 0)
    assert rows(fresh_pool, "SELECT name FROM providers WHERE synced_at IS NOT NULL") == [("Here",)]
