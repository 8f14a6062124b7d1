"""`panelry bench`: see docs/operators/commands.md, Measuring."""

import os
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from panelry.ops.command import command
from panelry.ops.session import CommandFailed, Session

app = typer.Typer(
    help="Measure this machine, on a database of its own; nothing of yours is touched.", no_args_is_help=True
)

MEMORY: Final = "memory_mb"
Seconds = Annotated[float, typer.Option(min=1, max=600, help="How long each measurement takes.")]
Callers = Annotated[int, typer.Option(min=1, max=4096, help="How many callers there are at once.")]


@command(app, "place")
def place(session: Session, *, seconds: Seconds = 10, callers: Callers = 256) -> None:
    """Place orders in process: for 1,000 accounts, and for one."""
    from panelry.ops.bench.ground import ground
    from panelry.ops.bench.place import place as measure
    from panelry.ops.bench.progress import Steps

    with ground(session.settings.data) as where:
        result = measure(where, Steps(quiet=session.json), seconds=seconds, callers=callers)
    session.say(result, _table(result))


@command(app, "http")
def http(session: Session, *, seconds: Seconds = 10, callers: Callers = 256) -> None:
    """Call the API over HTTP, with wrk: place orders, read one, read 100, read the price list."""
    from panelry.ops.bench import wrk
    from panelry.ops.bench.ground import ground
    from panelry.ops.bench.http import http as measure
    from panelry.ops.bench.progress import Steps

    wrk.program()
    with ground(session.settings.data) as where:
        result = measure(where, Steps(quiet=session.json), seconds=seconds, callers=callers)
    session.say(result, _table(result))


@command(app, "track")
def track(
    session: Session,
    *,
    seconds: Seconds = 10,
    orders: Annotated[int, typer.Option(min=1000, help="How many orders are in flight.")] = 1_000_000,
) -> None:
    """Let one engine send orders, and follow a million of which one in ten changed."""
    from panelry.ops.bench.ground import ground
    from panelry.ops.bench.progress import Steps
    from panelry.ops.bench.track import track as measure

    with ground(session.settings.data) as where:
        result = measure(where, Steps(quiet=session.json), orders=orders, seconds=seconds)
    session.say(result, _table(result))


@command(app, "growth")
def growth(
    session: Session,
    *,
    seconds: Seconds = 3,
    callers: Callers = 256,
    large: Annotated[bool, typer.Option("--large", help="Go on to 10 million orders.")] = False,
    chart: Annotated[Path | None, typer.Option(help="Draw how costs grow into this SVG file.")] = None,
) -> None:
    """See what things cost at 10 thousand, 100 thousand and 1 million orders."""
    from panelry.ops.bench import growth as bench
    from panelry.ops.bench.ground import ground
    from panelry.ops.bench.progress import Steps
    from panelry.ops.tables import table

    if chart is not None and not os.access(chart.parent, os.W_OK):  # rather now than after the measurements
        raise CommandFailed(f"no file can be made in {chart.parent}")
    sizes = (*bench.SIZES, bench.LARGE) if large else bench.SIZES
    with ground(session.settings.data) as where:
        result = bench.growth(where, Steps(quiet=session.json), seconds=seconds, callers=callers, sizes=sizes)
    if chart is not None:
        chart.write_text(bench.chart(result))
    session.say(result, f"{table(bench.rows(result), empty='')}\n{_memory(result)}\nverified: True")


@command(app, "deliver")
def deliver(
    session: Session,
    *,
    seconds: Seconds = 10,
    events: Annotated[int, typer.Option(min=100, help="How many events wait for many endpoints.")] = 20_000,
) -> None:
    """Let one engine tell endpoints what happened: 1,000 of them, and one."""
    from panelry.ops.bench.deliver import deliver as measure
    from panelry.ops.bench.ground import ground
    from panelry.ops.bench.progress import Steps

    with ground(session.settings.data) as where:
        result = measure(where, Steps(quiet=session.json), events=events, seconds=seconds)
    session.say(result, _table(result))


def _table(result: dict[str, Any]) -> str:
    from panelry.ops.tables import table

    rows = {name: row for name, row in result.items() if isinstance(row, dict) and name != MEMORY}
    columns = dict.fromkeys(column for row in rows.values() for column in row)
    measured = [{"": name, **{column: row.get(column) for column in columns}} for name, row in rows.items()]
    others = [f"{name}: {value}" for name, value in result.items() if not isinstance(value, dict)]
    return "\n".join([table(measured, empty=""), *others, _memory(result)])


def _memory(result: dict[str, Any]) -> str:
    return f"{MEMORY}: " + ", ".join(f"{name} {size}" for name, size in result.get(MEMORY, {}).items())
