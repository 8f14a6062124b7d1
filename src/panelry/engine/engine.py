"""The engine's process: all loops, started together and stopped together."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Final

import structlog

from panelry.connectors import addresses
from panelry.connectors.http import HttpClient
from panelry.database import health
from panelry.database.pool import Pool
from panelry.domain.vault import open_vault
from panelry.engine import leases, upkeep
from panelry.engine.desk import Desk
from panelry.engine.submission import Submission
from panelry.engine.timetable import timetable
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
        submission, tracking = Submission(desk), Tracking(desk)
        log.info("engine_started")
        await asyncio.gather(*_loops(desk, submission, tracking), _keep_timetable(desk))
        await tracking.drain()
        await submission.drain(GRACE_SECONDS)
    log.info("engine_stopped")


def _loops(desk: Desk, submission: Submission, tracking: Tracking) -> list[Coroutine[None, None, None]]:
    idle = desk.settings.poll_seconds
    steps: list[tuple[str, Callable[[], Awaitable[int]], float]] = [
        ("submission", submission.send_waiting, idle),
        ("reconciliation", submission.ask_again, idle),
        ("abandoned", submission.abandon, ABANDON_SECONDS),
        ("tracking", tracking.follow, idle),
        ("new providers", lambda: upkeep.meet_new_providers(desk), MEET_SECONDS),
        ("heartbeat", lambda: _beat(desk), BEAT_SECONDS),
    ]
    return [leases.repeat(name, step, stop=desk.stop, idle_seconds=wait) for name, step, wait in steps]


async def _beat(desk: Desk) -> int:
    await desk.database(health.beat)
    return 0


async def _keep_timetable(desk: Desk) -> None:
    """Run the timetable, and start it again when the database was away."""
    assert desk.settings.database_url is not None
    while not desk.stop.is_set():
        try:
            async with timetable(desk.settings.database_url).open_async() as app:
                worker = asyncio.create_task(
                    app.run_worker_async(
                        name="timetable",
                        install_signal_handlers=False,
                        listen_notify=False,
                        delete_jobs="successful",
                        additional_context={"desk": desk},
                    )
                )
                stopped = asyncio.create_task(desk.stop.wait())
                await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
                stopped.cancel()
                worker.cancel()
                await asyncio.gather(worker, return_exceptions=True)
        except Exception:
            log.exception("timetable_failed")
        await leases.pause(leases.AFTER_A_FAILURE, desk.stop)
