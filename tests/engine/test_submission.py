"""Sending: never more than a provider bears, never twice, and what became of a call is always written down."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from shops import desk, orders_at, rows, shop, states, until

import servers
from connectors.upstreams import refusing_port
from panelry import settings as panelry_settings
from panelry.database.pool import Pool
from panelry.domain import providers
from panelry.engine import leases
from panelry.engine.desk import Desk
from panelry.engine.submission import Submission
from panelry.settings import Settings


@pytest.fixture
def settings(fresh_database: str) -> Settings:
    loaded = panelry_settings.load({"PANELRY_DEVELOPMENT": "1"})
    return replace(loaded, database_url=fresh_database, provider_total_seconds=5.0)


async def _send_until(desk: Desk, submission: Submission, pool: Pool, wanted: dict[str, int]) -> None:
    loop = asyncio.create_task(
        leases.repeat("test", submission.send_waiting, stop=desk.stop, idle_seconds=0.02)
    )
    await until(lambda: states(pool) == wanted)
    desk.stop.set()
    await loop


def test_a_provider_never_gets_more_than_it_bears(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with shop(seconds=0.3) as upstream, desk(fresh_pool, settings) as one:
            orders_at(fresh_pool, upstream.url, 50)
            await _send_until(one, Submission(one), fresh_pool, {"accepted": 50})
            starts = upstream.starts
            assert len({form["link"] for form in upstream.of("add")}) == 1
            assert len(starts) == 50
            assert upstream.most_at_once <= 8
            assert all(later - first > 1 for first, later in zip(starts, starts[20:], strict=False))

    asyncio.run(run())


def test_two_engines_together_send_each_order_once(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with (
            shop(seconds=0.1) as upstream, desk(fresh_pool, settings) as one, desk(fresh_pool, settings) as two,
        ):  # fmt: skip
            orders_at(fresh_pool, upstream.url, 30)
            await asyncio.gather(
                *(_send_until(d, Submission(d), fresh_pool, {"accepted": 30}) for d in (one, two))
            )
            assert len(upstream.of("add")) == 30
            assert upstream.most_at_once <= 8

    asyncio.run(run())


def test_what_surely_was_not_read_is_sent_again_after_a_break(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with shop() as upstream, desk(fresh_pool, settings) as one:
            with refusing_port() as closed:
                provider = orders_at(fresh_pool, closed, 1)
                submission = Submission(one)
                assert await submission.send_waiting() == 1
                await until(lambda: states(fresh_pool) == {"not_sent": 1})
                assert await submission.send_waiting() == 0, "without a break"
            with fresh_pool.transaction() as conn:
                providers.move(conn, provider, upstream.url)
            await _send_until(one, submission, fresh_pool, {"not_sent": 1, "accepted": 1})
            assert len(upstream.of("add")) == 1

    asyncio.run(run())


def test_a_call_that_outlasts_the_grace_is_unknown(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with shop(answer={"add": "wait"}) as upstream, desk(fresh_pool, settings) as one:
            orders_at(fresh_pool, upstream.url, 2)
            submission = Submission(one)
            await submission.send_waiting()
            await until(lambda: len(upstream.of("add")) == 2)
            one.stop.set()
            await submission.drain(0.1)

    asyncio.run(run())
    assert states(fresh_pool) == {"unknown": 2}
    [evidence] = {row[0][0]["note"] for row in rows(fresh_pool, "SELECT evidence FROM submissions")}
    assert "stopped while the call was under way" in evidence


def test_what_was_claimed_when_the_end_came_is_not_sent(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        async with shop() as upstream, desk(fresh_pool, settings) as one:
            orders_at(fresh_pool, upstream.url, 3)
            submission = Submission(one)
            one.stop.set()
            await submission.send_waiting()
            await submission.drain(10)
            assert upstream.calls == []

    asyncio.run(run())
    assert states(fresh_pool) == {"not_sent": 3}


def test_a_machine_that_was_too_slow_does_not_send(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> None:
        slow = replace(settings, lease_seconds=settings.provider_total_seconds + 1)
        async with shop() as upstream, desk(fresh_pool, slow) as one:
            orders_at(fresh_pool, upstream.url, 1)
            submission = Submission(one)
            await submission.send_waiting()
            await submission.drain(10)
            assert upstream.calls == []

    asyncio.run(run())
    assert states(fresh_pool) == {"not_sent": 1}


@contextmanager
def _away(url: str) -> Iterator[None]:
    """Let nobody into a database for a while."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with psycopg.connect(servers.on(url, "postgres"), autocommit=True) as conn:
        conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_an_answer_is_written_down_though_the_database_was_away(
    fresh_pool: Pool, fresh_database: str, settings: Settings
) -> None:
    async def run() -> None:
        async with shop(answer={"add": "wait"}) as upstream, desk(fresh_pool, settings) as one:
            orders_at(fresh_pool, upstream.url, 1)
            submission = Submission(one)
            await submission.send_waiting()
            await until(lambda: upstream.of("add"))
            with _away(fresh_database):
                upstream.resume.set()
                await until(lambda: upstream.at_once == 0)
                await asyncio.sleep(0.5)  # the first tries fail
            await submission.drain(30)

    asyncio.run(run())
    assert states(fresh_pool) == {"accepted": 1}


STUMBLING = """
    CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stumbled'; END $$;
    CREATE TRIGGER stumble BEFORE UPDATE ON submissions FOR EACH ROW WHEN (NEW.id = 'STONE')
    EXECUTE FUNCTION stumble();"""


def test_answers_that_come_together_are_written_together_and_one_that_cannot_be_keeps_none_back(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> dict[str, int]:
        async with shop(answer={"add": "wait"}) as upstream, desk(fresh_pool, settings) as one:
            orders_at(fresh_pool, upstream.url, 8)
            submission = Submission(one)
            await submission.send_waiting()
            await until(lambda: len(upstream.of("add")) == 8)
            [stone] = rows(fresh_pool, "SELECT id::text FROM submissions LIMIT 1")[0]
            with fresh_pool.connection() as conn:
                conn.execute(STUMBLING.replace("STONE", stone).encode())
                upstream.resume.set()
                await until(lambda: states(fresh_pool).get("accepted") == 7)
                in_the_meantime = states(fresh_pool)
                conn.execute("DROP TRIGGER stumble ON submissions")
            await submission.drain(30)
            return in_the_meantime

    assert asyncio.run(run()) == {"accepted": 7, "sending": 1}
    assert states(fresh_pool) == {"accepted": 8}


def test_two_answers_to_one_submission_that_come_together_are_both_written(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> None:
        async with shop(answer={"add": "wait"}) as upstream, desk(fresh_pool, settings) as one:
            orders_at(fresh_pool, upstream.url, 1)
            rows(fresh_pool, "UPDATE providers SET dialect = 'panelry' RETURNING 1")
            submission = Submission(one)
            await submission.send_waiting()
            for _ in range(2):  # its lease ends, and it is due to be asked about again
                rows(fresh_pool, "UPDATE submissions SET due_at = clock_now() RETURNING 1")
                await submission.abandon()
            await submission.ask_again()
            await until(lambda: len(upstream.of("add")) == 2)
            upstream.resume.set()
            await submission.drain(30)

    asyncio.run(run())
    assert states(fresh_pool) == {"accepted": 1}
    [[evidence]] = rows(fresh_pool, "SELECT evidence FROM submissions")
    notes = " ".join(note["note"] for note in evidence)
    assert "accepted with id 1" in notes
    assert "accepted it with id 2" in notes
