"""The engine's process: all loops, started together and stopped together."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Final

import structlog

from panelry import clock
from panelry.connectors import addresses
from panelry.connectors.http import HttpClient
from panelry.database import health
from panelry.database.pool import Pool
from panelry.domain.vault import open_vault
from panelry.engine import leases, timetable, upkeep
from panelry.engine.desk import Desk
from panelry.engine.submission import Submission
from panelry.engine.tracking import Tracking
from panelry.settings import Settings

log = structlog.get_logger()
CONNECTIONS: Final = 8
GRACE_SECONDS: Final = 8.0
BEAT_SECONDS: Final = 2.0
ABANDON_SECONDS: Final = 1.0
MEET_SECONDS: Final = 2.0


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Work until `stop` is set: then claiming ends at once, calls in flight get 8 s, what is left is unknown."""
    assert settings.database_url is not None
    async with AsyncExitStack() as stack:
        pool = Pool(settings.database_url, size=CONNECTIONS, prepare=settings.prepare, name="panelry work")
        stack.callback(pool.close)
        http = HttpClient(
            policy=addresses.for_providers(settings),
            connect_seconds=settings.provider_connect_seconds,
            total_seconds=settings.provider_total_seconds,
        )
        desk = Desk(
            pool=pool,
            settings=settings,
            vault=open_vault(settings),
            http=await stack.enter_async_context(http),
            stop=stop,
        )
        stack.callback(desk.close)
        await _work(desk)
    log.info("engine_stopped")


async def _work(desk: Desk) -> None:
    submission, tracking = Submission(desk), Tracking(desk)
    async with asyncio.TaskGroup() as group:
        claiming = [group.create_task(loop) for loop in _claiming(desk, submission, tracking)]
        others = [group.create_task(loop) for loop in _others(desk)]
        log.info("engine_started")
        await desk.stop.wait()
        until = clock.monotonic() + GRACE_SECONDS
        for task in others:
            task.cancel()  # what they ask providers for can be asked again
        await asyncio.wait(claiming, timeout=GRACE_SECONDS)
        left = until - clock.monotonic()
        await asyncio.gather(submission.drain(left), tracking.drain(left))
        for task in claiming:
            task.cancel()


def _claiming(desk: Desk, submission: Submission, tracking: Tracking) -> list[Coroutine[None, None, None]]:
    """Return the loops that make or follow orders; none of their steps waits for the network."""
    idle = desk.settings.poll_seconds
    return [
        leases.repeat("submission", submission.send_waiting, stop=desk.stop, idle_seconds=idle),
        leases.repeat("reconciliation", submission.ask_again, stop=desk.stop, idle_seconds=idle),
        leases.repeat("abandoned", submission.abandon, stop=desk.stop, idle_seconds=ABANDON_SECONDS),
        leases.repeat("tracking", tracking.follow, stop=desk.stop, idle_seconds=idle),
    ]


def _others(desk: Desk) -> list[Coroutine[None, None, None]]:
    async def beat() -> int:
        await desk.database(health.beat)
        return 0

    async def meet() -> int:
        return await upkeep.meet_new_providers(desk)

    return [
        leases.repeat("heartbeat", beat, stop=desk.stop, idle_seconds=BEAT_SECONDS),
        leases.repeat("new providers", meet, stop=desk.stop, idle_seconds=MEET_SECONDS),
        timetable.keep(desk),
    ]
