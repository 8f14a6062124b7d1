"""Refills at their providers: asked for until there is an answer, followed to their end; nobody waits for a slow one."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from shops import desk, rows, shop, until

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream
from given import VAULT, Customer, Given
from panelry import settings as panelry_settings
from panelry.database.pool import Pool
from panelry.domain import ids, orders, providers, refills
from panelry.domain.orders import OrderId
from panelry.domain.providers import Accepted, Report, UpstreamState
from panelry.domain.refills import RefillId, Wanted
from panelry.engine import leases
from panelry.engine.desk import Desk
from panelry.engine.refills import AT_ONCE, Refills
from panelry.settings import Settings

DONE = {"status": "Completed"}


@pytest.fixture
def settings(fresh_database: str) -> Settings:
    loaded = panelry_settings.load({"PANELRY_DEVELOPMENT": "1"})
    return replace(loaded, database_url=fresh_database, provider_total_seconds=2.0)


def ordered(given: Given, url: str, *upstream_ids: str) -> tuple[Customer, list[OrderId]]:
    """Have a new provider complete orders that it knows by these ids."""
    provider = providers.add(given.conn, VAULT, uuid4().hex, url=url, key="secret")
    customer = given.customer("100")
    service = given.service(provider)
    placed = []
    for upstream_id in upstream_ids:
        placed.append(given.placed(customer, service))
        [attempt] = given.attempts(provider)
        given.answered(attempt, Accepted(upstream_id=upstream_id))
        tracked = orders.Tracked(
            submission_id=attempt.submission_id, account_id=attempt.account_id, provider_id=provider, upstream_id=upstream_id
        )  # fmt: skip
        report = Report(state=UpstreamState.COMPLETED, word="Completed", remains=20)
        orders.apply_reports(given.conn, {tracked: report})
    return customer, placed


def wanted_at(pool: Pool, url: str, *upstream_ids: str) -> None:
    """Ask for refills of completed orders that a new provider knows by these ids."""
    with pool.transaction() as conn:
        customer, placed = ordered(Given(conn), url, *upstream_ids)
        wishes = [Wanted(id=RefillId(ids.new()), account_id=customer.account, order_id=o) for o in placed]
        answers = refills.request(conn, wishes, actor="customer")
        assert answers == [wish.id for wish in wishes]


def states(pool: Pool) -> dict[str, int]:
    return dict(rows(pool, "SELECT state, count(*) FROM refills GROUP BY state"))


def hurry(pool: Pool) -> None:
    """Make everything due."""
    rows(pool, "UPDATE refills SET due_at = clock_now() WHERE due_at IS NOT NULL RETURNING 1")


async def follow_until(desk: Desk, pool: Pool, wanted: dict[str, int]) -> None:
    """Follow refills until they are in these states."""
    one = Refills(desk)
    loop = asyncio.create_task(leases.repeat("test", one.follow, stop=desk.stop, idle_seconds=0.02))
    await until(lambda: states(pool) == wanted)
    desk.stop.set()
    await loop
    await one.drain(10)


def test_a_refill_is_asked_for_and_followed_to_its_end(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        answer = {"refill": {"refill": 7}, "refill_status": {"status": "In progress"}}
        async with shop(answer=answer) as upstream, desk(fresh_pool, settings) as one:
            wanted_at(fresh_pool, upstream.url, "17")
            followed = Refills(one)
            assert await followed.follow() == 1
            await followed.drain(10)
            assert states(fresh_pool) == {"in_progress": 1}
            assert await followed.follow() == 0, "it is not due yet"
            hurry(fresh_pool)
            assert await followed.follow() == 1
            await followed.drain(10)
            upstream.answer["refill_status"] = DONE
            hurry(fresh_pool)
            assert await followed.follow() == 1
            await followed.drain(10)
            assert await followed.follow() == 0
            assert [call["order"] for call in upstream.of("refill")] == ["17"]
            assert [call["refill"] for call in upstream.of("refill_status")] == ["7", "7"]

    asyncio.run(run())
    assert states(fresh_pool) == {"completed": 1}


def test_a_refill_without_a_name_is_followed_by_its_order(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        status = {"17": {"status": "Completed", "remains": "20"}}
        answer = {"refill": {"error": "A refill is already pending"}, "status": status}
        async with shop(answer=answer) as upstream, desk(fresh_pool, settings) as one:
            wanted_at(fresh_pool, upstream.url, "17")
            followed = Refills(one)
            for _ in range(2):
                await followed.follow()
                await followed.drain(10)
                hurry(fresh_pool)
            assert states(fresh_pool) == {"in_progress": 1}
            status["17"]["remains"] = "0"
            await followed.follow()
            await followed.drain(10)
            assert (len(upstream.of("refill")), len(upstream.of("refill_status"))) == (1, 0)

    asyncio.run(run())
    assert states(fresh_pool) == {"completed": 1}


def test_an_order_that_the_provider_says_nothing_about_is_asked_about_again(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> None:
        answer = {"refill": {"error": "A refill is already pending"}, "status": {}}
        async with shop(answer=answer) as upstream, desk(fresh_pool, settings) as one:
            wanted_at(fresh_pool, upstream.url, "17")
            followed = Refills(one)
            for _ in range(2):
                await followed.follow()
                await followed.drain(10)
                hurry(fresh_pool)

    asyncio.run(run())
    message = "nothing was said about the order"
    assert rows(fresh_pool, "SELECT state, attempt, message FROM refills") == [("in_progress", 1, message)]


def test_a_slow_provider_gets_few_calls_at_once_and_delays_no_other(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> None:
        async with (
            shop(answer={"refill": "wait"}) as slow,
            shop(answer={"refill": {"refill": 7}, "refill_status": DONE}) as quick,
            desk(fresh_pool, settings) as one,
        ):
            wanted_at(fresh_pool, slow.url, *map(str, range(10)))
            wanted_at(fresh_pool, quick.url, *map(str, range(10)))
            followed = Refills(one)
            loop = asyncio.create_task(
                leases.repeat("test", followed.follow, stop=one.stop, idle_seconds=0.02)
            )
            await until(lambda: states(fresh_pool).get("completed") == 10)
            assert len(slow.of("refill")) == AT_ONCE
            one.stop.set()
            await loop
            await followed.drain(0.1)

    asyncio.run(run())


def test_what_a_killed_engine_had_asked_for_is_asked_for_again_when_its_lease_ends(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> None:
        async with shop(answer={"refill": "wait"}) as upstream:
            wanted_at(fresh_pool, upstream.url, "17")
            async with desk(fresh_pool, settings) as killed:
                followed = Refills(killed)
                assert await followed.follow() == 1
                await until(lambda: upstream.of("refill"))
                await followed.drain(0)
            assert states(fresh_pool) == {"pending": 1}
            async with desk(fresh_pool, settings) as another:
                assert await Refills(another).follow() == 0, "the lease has not ended"
                hurry(fresh_pool)
                upstream.answer.update(
                    {
                        "refill": {"error": "Refill already in progress"},
                        "status": {"17": {"status": "Completed", "remains": 0}},
                    }
                )
                await follow_until(another, fresh_pool, {"completed": 1})
            assert len(upstream.of("refill")) == 2

    asyncio.run(run())


def test_a_provider_that_cannot_be_asked_is_asked_less_and_less(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> list[float]:
        waits = []
        async with (
            shop(answer={"refill": {"error": "Too many requests"}}) as upstream,
            desk(fresh_pool, settings) as one,
        ):
            wanted_at(fresh_pool, upstream.url, "17")
            followed = Refills(one)
            for _ in range(3):
                hurry(fresh_pool)
                assert await followed.follow() == 1
                await followed.drain(10)
                query = (
                    "SELECT extract(epoch FROM due_at - clock_now())::float FROM refills WHERE message <> ''"
                )
                [[wait]] = rows(fresh_pool, query)
                waits.append(wait)
        return waits

    first, second, third = asyncio.run(run())
    assert 0 < first < second < third
    assert states(fresh_pool) == {"pending": 1}


def test_engines_share_refills_and_ask_for_each_once(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        answer = {"refill": {"refill": 7}, "refill_status": DONE}
        async with (
            shop(answer=answer, seconds=0.05) as upstream,
            desk(fresh_pool, settings) as one,
            desk(fresh_pool, settings) as two,
        ):
            wanted_at(fresh_pool, upstream.url, *map(str, range(30)))
            await asyncio.gather(*(follow_until(d, fresh_pool, {"completed": 30}) for d in (one, two)))
            assert sorted(int(call["order"]) for call in upstream.of("refill")) == list(range(30))

    asyncio.run(run())


# At the sandbox provider


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Upstream]:
    with servers.open_folder() as folder, sandboxes.running(folder / "sandbox.jsonl", speed=20) as upstream:
        yield upstream


@pytest.mark.parametrize(
    ("behaviour", "end", "granted"),
    [
        ("drops", "completed", 1),
        ("refuses_refill", "rejected", 0),
        ("rejects_refill", "rejected", 1),
        ("refill_no_id", "completed", 1),
        # What had been refilled when it was asked for again is refilled again: it costs nothing, and nobody can know.
        ("refill_silent", "completed", 2),
        ("refill_reset", "completed", 2),
        ("refill_bad_gateway", "completed", 2),
    ],
)
def test_a_refill_ends_as_the_provider_has_it_however_its_answer_was_lost(
    fresh_pool: Pool, settings: Settings, sandbox: Upstream, behaviour: str, end: str, granted: int
) -> None:
    bought = str(sandbox.add(1, fault=behaviour))
    sandboxes.until(lambda: sandbox.has_dropped(bought))

    async def run() -> None:
        async with desk(fresh_pool, settings, total=2.0) as one:
            wanted_at(fresh_pool, sandbox.url, bought)
            await follow_until(one, fresh_pool, {end: 1})

    asyncio.run(run())
    refilled = [line for line in sandbox.lines() if "refill" in line and str(line["order"]) == bought]
    assert len(refilled) == granted
    assert (sandbox.call("status", order=bought)["remains"] == "0") == (end == "completed")
