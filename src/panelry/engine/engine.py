"""The engine's process: all loops, started together and stopped together."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import structlog

from panelry import clock
from panelry.connectors import addresses
from panelry.connectors.http import HttpClient
from panelry.database import health
from panelry.database.pool import Pool
from panelry.domain import orders, webhooks
from panelry.domain.vault import open_vault
from panelry.engine import deliveries, leases, timetable, upkeep
from panelry.engine.cancels import Cancels
from panelry.engine.deliveries import Deliveries
from panelry.engine.desk import Desk
from panelry.engine.letters import Letters
from panelry.engine.reconciliation import Reconciliation
from panelry.engine.refills import Refills
from panelry.engine.submission import Submission
from panelry.engine.tracking import Tracking
from panelry.settings import Settings

log = structlog.get_logger()
CONNECTIONS: Final = 8
GRACE_SECONDS: Final = 8.0
BEAT_SECONDS: Final = 2.0
ABANDON_SECONDS: Final = 1.0
ABANDON_DELIVERIES_SECONDS: Final = 10.0
MEET_SECONDS: Final = 2.0
REROUTE_SECONDS: Final = 1.0
RECOVER_SECONDS: Final = 15.0
LETTERS_SECONDS: Final = 2.0
PAY_BACK_SECONDS: Final = 10.0


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


@dataclass(frozen=True, slots=True)
class _Callers:
    """The loops whose calls outlive their steps."""

    submission: Submission
    tracking: Tracking
    refills: Refills
    cancels: Cancels
    reconciliation: Reconciliation
    deliveries: Deliveries

    async def drain(self, seconds: float) -> None:
        """Give all calls under way the same seconds to end."""
        callers = (
            self.submission, self.tracking, self.refills, self.cancels, self.reconciliation, self.deliveries,
        )  # fmt: skip
        await asyncio.gather(*(caller.drain(seconds) for caller in callers))


async def _work(desk: Desk) -> None:
    async with deliveries.client(desk.settings) as http, asyncio.TaskGroup() as group:
        callers = _Callers(
            Submission(desk),
            Tracking(desk),
            Refills(desk),
            Cancels(desk),
            Reconciliation(desk),
            Deliveries(desk, http),
        )
        claiming = [group.create_task(loop) for loop in _claiming(desk, callers)]
        others = [group.create_task(loop) for loop in _others(desk)]
        log.info("engine_started")
        await desk.stop.wait()
        until = clock.monotonic() + GRACE_SECONDS
        for task in others:
            task.cancel()  # what they ask providers for can be asked again
        await asyncio.wait(claiming, timeout=GRACE_SECONDS)
        await callers.drain(until - clock.monotonic())
        for task in claiming:
            task.cancel()


def _claiming(desk: Desk, callers: _Callers) -> list[Coroutine[None, None, None]]:
    """Return the loops that make, follow and end orders and tell of them; no step of theirs waits for the network."""
    idle = desk.settings.poll_seconds
    steps: dict[str, tuple[Callable[[], Awaitable[int]], float]] = {
        "submission": (callers.submission.send_waiting, idle),
        "resending": (callers.submission.ask_again, idle),
        "abandoned": (callers.submission.abandon, ABANDON_SECONDS),
        "tracking": (callers.tracking.follow, idle),
        "refills": (callers.refills.follow, idle),
        "cancels": (callers.cancels.ask, idle),
        "reconciliation": (callers.reconciliation.look, idle),
        "deliveries": (callers.deliveries.deliver, idle),
        "abandoned deliveries": (lambda: desk.database(webhooks.end_abandoned), ABANDON_DELIVERIES_SECONDS),
        "paying back": (callers.reconciliation.pay_back, PAY_BACK_SECONDS),
        "drip-feed": (lambda: desk.database(orders.make_runs), idle),
        "rerouting": (lambda: desk.database(orders.reroute), REROUTE_SECONDS),
    }
    return [
        leases.repeat(name, step, stop=desk.stop, idle_seconds=seconds)
        for name, (step, seconds) in steps.items()
    ]


def _others(desk: Desk) -> list[Coroutine[None, None, None]]:
    async def beat() -> int:
        await desk.database(health.beat)
        return 0

    async def meet() -> int:
        return await upkeep.meet_new_providers(desk)

    letters = Letters(desk)

    async def recover() -> int:
        await upkeep.read_paused_balances(desk)
        return 0

    return [
        leases.repeat("heartbeat", beat, stop=desk.stop, idle_seconds=BEAT_SECONDS),
        leases.repeat("new providers", meet, stop=desk.stop, idle_seconds=MEET_SECONDS),
        leases.repeat("recovery", recover, stop=desk.stop, idle_seconds=RECOVER_SECONDS),
        leases.repeat("letters", letters.send, stop=desk.stop, idle_seconds=LETTERS_SECONDS),
        timetable.keep(desk),
    ]
