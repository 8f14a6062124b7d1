"""`panelry bench growth`: what things cost at ten thousand orders, and at a hundred and a thousand times as many."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import uvloop

from panelry import clock
from panelry.api.calls import Calls
from panelry.domain.orders import Status
from panelry.metrics import Metrics
from panelry.ops.bench import memory
from panelry.ops.bench.books import verified
from panelry.ops.bench.chart import TIMES, drawn
from panelry.ops.bench.crowd import Crowd
from panelry.ops.bench.figures import Figures, figures
from panelry.ops.bench.ground import Ground
from panelry.ops.bench.pages import Pages
from panelry.ops.bench.pgbench import SCALE, Baseline
from panelry.ops.bench.progress import Steps
from panelry.ops.session import CommandFailed

SIZES: Final = (10_000, 100_000, 1_000_000)
LARGE: Final = 10_000_000
ACCOUNTS: Final = 1_000
SERVICES: Final = 100
THOUSANDTH: Final = 1_000
ASKED_AT_ONCE: Final = 100
MOST_CALLS: Final = 1_000_000
ROUNDS: Final = 3
WARM_SECONDS: Final = 10.0

Took = tuple[list[float], float]
"""How long calls took, one by one, and all of them together, in seconds."""

BASELINE: Final = "pgbench"
TITLES: Final = {
    "place": "place",
    "place_alone": "place, one caller",
    "status": "status of an order",
    "status_100": "status of 100 orders",
    "first_page": "first page of orders",
    "thousandth_page": "thousandth page",
    "verify": "verify, per transfer",
    BASELINE: "pgbench, which has no orders",
}
"""What is measured, as people read it."""


def growth(
    ground: Ground,
    steps: Steps,
    *,
    seconds: float,
    callers: int,
    sizes: Sequence[int] = SIZES,
    accounts: int = ACCOUNTS,
    scale: int = SCALE,
) -> dict[str, Any]:
    """Measure at each of these sizes, in growing order; a measurement takes so many seconds at most.

    pgbench, with tables of a scale, runs before and after each: where it grew, the machine had less time for all of them.
    Raises `CommandFailed` where the books are wrong at any of them, or an acknowledged order is missing.
    """
    with steps(f"{accounts:,} accounts, {SERVICES:,} services, pgbench's tables"):
        crowd = Crowd(ground, ground.customers(accounts), ground.services(SERVICES))
        baseline = Baseline(ground.url, scale=scale)
        ground.settle()
    measured: dict[str, dict[str, Any]] = {}
    for size in sizes:
        with steps(f"fill to {size:,} orders", total=size - crowd.placed) as advance:
            crowd.grow(size, advance)
        with steps("let the database settle"):
            ground.settle()
        with steps("pgbench, before", seconds=seconds):
            before = baseline.run(seconds)
        measured[str(size)] = _at_size(ground, steps, crowd, seconds=seconds, callers=callers)
        with steps("pgbench, after", seconds=seconds):
            after = baseline.run(seconds)
        measured[str(size)][BASELINE] = {"per_second": round((before + after) / 2, 1)}
    return {
        "callers": callers,
        "sizes": measured,
        "growth": {name: round(ratio[-1], 3) for name, ratio in ratios(measured).items()},
        "memory_mb": memory.peaks(ground.settings.data),
        "verified": True,
    }


def ratios(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, list[float]]:
    """Return what each operation costs at each size, as a multiple of what it costs at the smallest."""
    costs = {
        name: [_cost(at_size[name]) for at_size in measured.values()]
        for name in next(iter(measured.values()))
    }
    return {name: [cost / row[0] for cost in row] for name, row in costs.items()}


def rows(result: dict[str, Any]) -> list[dict[str, str]]:
    """Return the result as a table: what a row costs at each size, and how much more at the largest."""
    measured = result["sizes"]
    return [
        {
            "": TITLES[name],
            **{f"{int(size):,}": _shown(at_size[name]) for size, at_size in measured.items()},
            "growth": f"{grown} {TIMES}",
        }
        for name, grown in result["growth"].items()
    ]


def chart(result: dict[str, Any]) -> str:
    """Draw the result as an SVG file."""
    measured = result["sizes"]
    lines = {TITLES[name]: line for name, line in ratios(measured).items()}
    return drawn("How cost grows with the number of orders", [int(size) for size in measured], lines)


def _at_size(ground: Ground, steps: Steps, crowd: Crowd, *, seconds: float, callers: int) -> dict[str, Any]:
    calls = Calls(ground.pool, Metrics())
    took: dict[str, list[Took]] = {}
    try:
        with Pages(ground, crowd.owner) as pages:
            deep = min(THOUSANDTH, pages.last)
            most = crowd.placed // 2 // ROUNDS  # or it would be another size
            # After a checkpoint a page is logged whole when it changes first, and each account has pages of its own.
            warm = min(4 * len(crowd.others), crowd.placed // 10)
            operations: dict[str, Callable[[float], Took]] = {
                "place": partial(_placed, crowd, calls, callers=callers, most=most),
                "place_alone": partial(_placed, crowd, calls, callers=1, most=most // 4),
                "status": partial(_repeated, partial(_status, calls, crowd)),
                "status_100": partial(_repeated, partial(_status_100, calls, crowd)),
                "first_page": partial(pages.asked_for, 1),
                "thousandth_page": partial(pages.asked_for, deep),
            }
            with steps(f"measure at {crowd.placed:,} orders", seconds=seconds * len(operations)):
                _placed(crowd, calls, WARM_SECONDS, callers=callers, most=warm)
                # In turns: what else the machine does for a while is not one operation's alone.
                for _ in range(ROUNDS):
                    for name, operation in operations.items():
                        took.setdefault(name, []).append(operation(seconds / ROUNDS))
    finally:
        calls.close()
    with steps("the books"):
        books = verified(ground)
    stored = ground.count_orders([one.account_id for one in (crowd.owner, *crowd.others)])
    if stored != crowd.placed:
        said = f"{crowd.placed} orders were acknowledged, {stored} are stored"
        raise CommandFailed(said, {"verified": False})
    found = {name: _summed(rounds).shown() for name, rounds in took.items()}
    found["thousandth_page"]["page"] = deep
    return {**found, "verify": books}


def _placed(crowd: Crowd, calls: Calls, seconds: float, *, callers: int, most: int) -> Took:
    """Place orders for all accounts but the one that has most, in turn, at most so many."""
    begun = crowd.placed

    async def place(turn: int) -> None:
        await calls.place(crowd.draft(crowd.others, begun + turn))
        crowd.placed += 1

    return _repeated(place, seconds, callers=callers, most=most)


async def _status(calls: Calls, crowd: Crowd, _turn: int) -> None:
    key, order_id = crowd.order()
    _check(await calls.statuses(key, [order_id]))


async def _status_100(calls: Calls, crowd: Crowd, _turn: int) -> None:
    key, asked = crowd.orders_of_owner(ASKED_AT_ONCE)
    _check(await calls.statuses(key, asked))


def _check(answered: Sequence[Status | None]) -> None:
    if None in answered:
        raise CommandFailed("an order that was placed has no status", {"verified": False})


def _repeated(
    call: Callable[[int], Awaitable[None]], seconds: float, *, callers: int = 1, most: int = MOST_CALLS
) -> Took:
    """Let callers call, each again when it was answered; the first calls are not counted."""
    took: list[float] = []

    async def load() -> float:
        turns = iter(range(most))
        began = clock.monotonic()

        async def caller() -> None:
            for turn in turns:
                start = clock.monotonic()
                if start > began + seconds:
                    return
                await call(turn)
                took.append(clock.monotonic() - start)

        await asyncio.gather(*(caller() for _ in range(callers)))
        return clock.monotonic() - began

    during = uvloop.run(load())
    counted = took[min(2 * callers, len(took) // 5) :]
    return counted, during * len(counted) / len(took)


def _summed(rounds: Sequence[Took]) -> Figures:
    return figures([one for took, _ in rounds for one in took], during=sum(during for _, during in rounds))


def _cost(row: dict[str, Any]) -> float:
    """Return what one call costs, or one transfer of all that were verified, or one transaction of pgbench."""
    if "p50_ms" in row:
        return float(row["p50_ms"])
    return 1 / float(row["transfers_per_second" if "transfers_per_second" in row else "per_second"])


def _shown(row: dict[str, Any]) -> str:
    if "p50_ms" in row:
        return f"{row['p50_ms']:,.2f} ms"
    return f"{row['seconds']:,.1f} s" if "seconds" in row else f"{row['per_second']:,.0f} / s"
