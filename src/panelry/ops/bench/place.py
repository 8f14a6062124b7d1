"""`panelry bench place`: the operation in process, as the API calls it, from many callers at once."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import uvloop

from panelry import clock
from panelry.api.calls import Calls
from panelry.domain import ids
from panelry.domain.accounts import digest
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import Draft
from panelry.metrics import Metrics
from panelry.ops.bench import memory
from panelry.ops.bench.figures import Figures, figures
from panelry.ops.bench.ground import Customer, Ground
from panelry.ops.bench.pgbench import SCALE, Baseline
from panelry.ops.bench.progress import Steps
from panelry.ops.running import collect_seldom
from panelry.ops.session import CommandFailed

ACCOUNTS: Final = 1_000
SERVICES: Final = 100
WARM_SECONDS: Final = 1.0


def place(
    ground: Ground,
    steps: Steps,
    *,
    seconds: float,
    callers: int,
    accounts: int = ACCOUNTS,
    scale: int = SCALE,
) -> dict[str, Any]:
    """Measure placing for many accounts (`spread`) and for one (`hot`), with pgbench of a scale before and after.

    Raises `CommandFailed` where the books are wrong afterwards, or an acknowledged order is missing.
    """
    with steps(f"{accounts:,} accounts, {SERVICES:,} services, pgbench's tables"):
        everybody = ground.customers(accounts)
        services = ground.services(SERVICES)
        ground.analyse()
        baseline = Baseline(ground.url, scale=scale)
    with steps("pgbench, before", seconds=seconds):
        baseline.run(seconds)
    measured = {}
    for name, customers in (("spread", everybody), ("hot", everybody[:1])):
        with steps(f"place, {name}", seconds=WARM_SECONDS + seconds):
            measured[name] = _measured(ground, customers, services, seconds=seconds, callers=callers)
    memory_mb = memory.peaks(ground.settings.data)
    with steps("pgbench, after", seconds=seconds):
        baseline.run(seconds)
    with steps("the books"):
        wrong = ground.wrong()
    if wrong:
        raise CommandFailed(f"the books are wrong: {wrong[0]}", {"verified": False, "wrong": wrong})
    return {
        "callers": callers,
        "pgbench_per_second": round(baseline.per_second, 1),
        **{
            name: one.shown(ratio_to_pgbench=one.per_second / baseline.per_second)
            for name, one in measured.items()
        },
        "memory_mb": memory_mb,
        "verified": True,
    }


def _measured(
    ground: Ground,
    customers: Sequence[Customer],
    services: Sequence[ServiceId],
    *,
    seconds: float,
    callers: int,
) -> Figures:
    account_ids = [customer.account_id for customer in customers]
    before = ground.count_orders(account_ids)
    calls = Calls(ground.pool, Metrics())
    collect_seldom()  # as the process that serves does
    try:
        took, placed = uvloop.run(_load(calls, customers, services, seconds=seconds, callers=callers))
    finally:
        calls.close()
    stored = ground.count_orders(account_ids) - before
    if stored != placed:
        raise CommandFailed(f"{placed} orders were acknowledged, {stored} are stored", {"verified": False})
    return figures(took, during=seconds)


async def _load(
    calls: Calls,
    customers: Sequence[Customer],
    services: Sequence[ServiceId],
    *,
    seconds: float,
    callers: int,
) -> tuple[list[float], int]:
    """Return how long each call took that ended while it counted, and how many orders were placed in all."""
    digests = [digest(customer.key) for customer in customers]
    name = ids.show("", ids.new())  # of the request ids of this load
    began = clock.monotonic() + WARM_SECONDS
    took: list[float] = []
    placed = 0

    async def caller(number: int) -> None:
        nonlocal placed
        turn = number
        while (start := clock.monotonic()) < began + seconds:
            draft = Draft(
                caller=digests[turn % len(digests)],
                service=services[turn % len(services)],
                request_id=f"{name}-{turn}",
                parameters={"link": f"https://example.com/{turn}", "quantity": "100"},
            )
            await calls.place(draft)
            placed += 1
            turn += callers
            end = clock.monotonic()
            if began <= end < began + seconds:
                took.append(end - start)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    return took, placed
