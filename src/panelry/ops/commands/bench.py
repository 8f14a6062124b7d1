"""`panelry bench`: see docs/operators/commands.md, Measuring."""

from typing import Annotated, Any, Final

import typer

from panelry.ops.command import command
from panelry.ops.session import Session

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


def _table(result: dict[str, Any]) -> str:
    from panelry.ops.tables import table

    rows = {name: row for name, row in result.items() if isinstance(row, dict) and name != MEMORY}
    columns = dict.fromkeys(column for row in rows.values() for column in row)
    measured = [{"": name, **{column: row.get(column) for column in columns}} for name, row in rows.items()]
    others = [f"{name}: {value}" for name, value in result.items() if not isinstance(value, dict)]
    sizes = ", ".join(f"{name} {size}" for name, size in result.get(MEMORY, {}).items())
    return "\n".join([table(measured, empty=""), *others, f"{MEMORY}: {sizes}"])
