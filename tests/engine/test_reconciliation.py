"""Looking for lost orders: what providers show is weighed once, and one that hangs keeps no other waiting."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from shops import desk, rows, shop, states, until

from given import Given
from panelry import settings as panelry_settings
from panelry.database.pool import Pool
from panelry.domain.providers import Accepted, ProviderId, Unknown
from panelry.engine.reconciliation import Reconciliation
from panelry.settings import Settings

OURS = {"status": "In progress", "charge": "0.10", "start_count": "1", "remains": "90", "currency": "USD"}
FOUND = {"status": {"100": OURS, "101": OURS}}


@pytest.fixture
def settings(fresh_database: str) -> Settings:
    return replace(panelry_settings.load({"PANELRY_DEVELOPMENT": "1"}), database_url=fresh_database)


def lost_at(pool: Pool, url: str, count: int = 1, *, taken: bool = True) -> ProviderId:
    """Lose the answers to so many orders, that are due to be looked for; one before them was taken under id 100."""
    with pool.transaction() as conn:
        given = Given(conn)
        provider, customer = given.provider(url=url), given.customer("10")
        service = given.service(provider)
        if taken:
            given.placed(customer, service)
            given.answered(given.attempts(provider)[0], Accepted(upstream_id="100"))
    with pool.transaction() as conn:  # later, by the clock of the books
        given = Given(conn)
        for _ in range(count):
            given.placed(customer, service)
        for attempt in given.attempts(provider):
            given.answered(attempt, Unknown(text="time-out"))
        conn.execute("UPDATE submissions SET due_at = clock_now() WHERE state = 'unknown'")
    return provider


def evidence(pool: Pool) -> str:
    found = rows(pool, "SELECT evidence FROM submissions WHERE unknown_at IS NOT NULL")
    return "\n".join(note["note"] for [notes] in found for note in notes)


def test_a_lost_order_is_found_with_one_call_for_ids_and_one_for_the_balance(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> None:
        async with shop(answer=FOUND) as upstream, desk(fresh_pool, settings) as one:
            lost_at(fresh_pool, upstream.url)
            reconciliation = Reconciliation(one)
            assert await reconciliation.look() == 1
            await reconciliation.drain(10)
            assert states(fresh_pool) == {"accepted": 2}
            assert [call["action"] for call in upstream.calls] == ["status", "balance"]
            asked = upstream.of("status")[0]["orders"].split(",")
            assert len(asked) == 100
            assert asked[-1] == "100"
            assert await reconciliation.look() == 0

    asyncio.run(run())
    assert rows(fresh_pool, "SELECT upstream_id FROM submissions ORDER BY upstream_id") == [
        ("100",),
        ("101",),
    ]


def test_two_lost_orders_are_looked_for_one_after_the_other_and_neither_is_taken(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> None:
        async with shop(answer=FOUND) as upstream, desk(fresh_pool, settings) as one:
            lost_at(fresh_pool, upstream.url, 2)
            reconciliation = Reconciliation(one)
            for _ in range(2):
                assert await reconciliation.look() == 1
                await reconciliation.drain(10)
            assert await reconciliation.look() == 0

    asyncio.run(run())
    assert states(fresh_pool) == {"accepted": 1, "unknown": 2}
    assert evidence(fresh_pool).count("it may as well belong to") == 2


def test_a_provider_that_hangs_delays_no_other(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with (
            shop(answer={"status": "wait"}) as slow, shop(answer=FOUND) as quick, desk(fresh_pool, settings) as one,
        ):  # fmt: skip
            lost_at(fresh_pool, slow.url)
            lost_at(fresh_pool, quick.url)
            reconciliation = Reconciliation(one)
            assert await reconciliation.look() == 2
            await until(lambda: states(fresh_pool) == {"accepted": 3, "unknown": 1})
            assert await reconciliation.look() == 0
            assert len(slow.calls) == 1
            await reconciliation.drain(0.1)

    asyncio.run(run())


def test_a_look_that_is_cut_off_changes_nothing_and_is_repeated(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        waiting: dict[str, Any] = {"status": "wait"}
        async with shop(answer=waiting) as upstream, desk(fresh_pool, settings) as one:
            lost_at(fresh_pool, upstream.url)
            before = rows(fresh_pool, "SELECT state, evidence, attempt FROM submissions ORDER BY id")
            reconciliation = Reconciliation(one)
            await reconciliation.look()
            await until(lambda: upstream.of("status"))
            await reconciliation.drain(0.1)
            assert rows(fresh_pool, "SELECT state, evidence, attempt FROM submissions ORDER BY id") == before
            assert await reconciliation.look() == 0, "before the lease ends"
            with fresh_pool.transaction() as conn:
                conn.execute("UPDATE submissions SET due_at = clock_now() WHERE state = 'unknown'")
            waiting.update(FOUND)
            assert await reconciliation.look() == 1
            await reconciliation.drain(10)

    asyncio.run(run())
    assert states(fresh_pool) == {"accepted": 2}


def test_two_engines_make_one_look(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with (
            shop(answer=FOUND) as upstream, desk(fresh_pool, settings) as one, desk(fresh_pool, settings) as two,
        ):  # fmt: skip
            lost_at(fresh_pool, upstream.url)
            both = Reconciliation(one), Reconciliation(two)
            assert sum(await asyncio.gather(*(each.look() for each in both))) == 1
            await asyncio.gather(*(each.drain(10) for each in both))
            assert len(upstream.of("status")) == 1

    asyncio.run(run())
    assert states(fresh_pool) == {"accepted": 2}


def test_silence_about_ids_is_evidence_and_the_balance_is_not_asked_for(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> None:
        async with (
            shop(answer={"status": {"error": "maintenance"}}) as upstream, desk(fresh_pool, settings) as one,
        ):  # fmt: skip
            lost_at(fresh_pool, upstream.url)
            reconciliation = Reconciliation(one)
            await reconciliation.look()
            await reconciliation.drain(10)
            assert upstream.of("balance") == []

    asyncio.run(run())
    assert states(fresh_pool) == {"accepted": 1, "unknown": 1}
    assert rows(fresh_pool, "SELECT attempt FROM submissions WHERE state = 'unknown'") == [(0,)]
    assert "maintenance" in evidence(fresh_pool)


def test_silence_about_the_balance_keeps_nothing_from_being_found(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> None:
        answer = {**FOUND, "balance": {"error": "maintenance"}}
        async with shop(answer=answer) as upstream, desk(fresh_pool, settings) as one:
            lost_at(fresh_pool, upstream.url)
            reconciliation = Reconciliation(one)
            await reconciliation.look()
            await reconciliation.drain(10)

    asyncio.run(run())
    assert states(fresh_pool) == {"accepted": 2}
    assert "the balance was not told" in evidence(fresh_pool)


@pytest.mark.parametrize(
    ("balance", "state"), [({"balance": "9"}, "quarantined"), ({"error": "no"}, "unknown")]
)
def test_where_there_is_nothing_to_ask_for_only_the_balance_is(
    fresh_pool: Pool, settings: Settings, balance: dict[str, str], state: str
) -> None:
    async def run() -> None:
        async with shop(answer={"balance": balance}) as upstream, desk(fresh_pool, settings) as one:
            lost_at(fresh_pool, upstream.url, taken=False)
            reconciliation = Reconciliation(one)
            await reconciliation.look()
            await reconciliation.drain(10)
            assert [call["action"] for call in upstream.calls] == ["balance"]

    asyncio.run(run())
    assert states(fresh_pool) == {state: 1}


@pytest.mark.parametrize(("hours", "paid"), [(0, 0), (72, 0), (1, 3)])
def test_customers_are_paid_back_after_as_long_as_the_operator_says(
    fresh_pool: Pool, settings: Settings, hours: float, paid: int
) -> None:
    async def run() -> int:
        async with desk(fresh_pool, replace(settings, unknown_refund_hours=hours)) as one:
            lost_at(fresh_pool, "http://127.0.0.1:9/api/v2", 3)
            with fresh_pool.transaction() as conn:
                conn.execute("UPDATE submissions SET unknown_at = unknown_at - interval '70 hours'")
            return await Reconciliation(one).pay_back()

    assert asyncio.run(run()) == paid
    with fresh_pool.transaction() as conn:
        Given(conn).assert_books()
