"""The one loop that all money-bearing work shares."""

import asyncio

import psycopg

from panelry import clock
from panelry.engine import leases


def test_a_step_that_fails_is_tried_again() -> None:
    async def run() -> list[str]:
        stop, seen = asyncio.Event(), list[str]()
        troubles = [psycopg.OperationalError("the database is away"), ValueError("a bug")]

        async def step() -> int:
            seen.append("step")
            if troubles:
                raise troubles.pop()
            stop.set()
            return 0

        await leases.repeat("test", step, stop=stop, idle_seconds=0.01)
        return seen

    assert asyncio.run(run()) == ["step"] * 3


def test_it_goes_on_at_once_while_there_is_work_and_stops_at_once() -> None:
    async def run() -> float:
        stop, idle, left = asyncio.Event(), asyncio.Event(), iter(range(100, -1, -1))

        async def step() -> int:
            found = next(left)
            if not found:
                idle.set()
            return found

        loop = asyncio.create_task(leases.repeat("test", step, stop=stop, idle_seconds=3600))
        await idle.wait()
        began = clock.monotonic()
        stop.set()
        await loop
        return clock.monotonic() - began

    assert asyncio.run(run()) < 5
