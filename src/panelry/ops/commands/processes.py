"""What runs: `up` and its pieces `serve`, `work`, `sandbox`; and what prepares and checks: `migrate`, `doctor`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from panelry.ops.command import command
from panelry.ops.session import CommandFailed, Session

Listen = Annotated[str, typer.Option("--listen", help="HOST:PORT.")]


def add_to(root: typer.Typer) -> None:
    """Add the commands that stand at the top level."""
    functions: tuple[Callable[..., None], ...] = (up, serve, work, migrate, doctor, sandbox)
    for function in functions:
        command(root, function.__name__)(function)


def up(
    session: Session,
    *,
    listen: Listen = "127.0.0.1:8000",
    demo: Annotated[
        bool, typer.Option("--demo", help="With demonstration data and a sandbox provider.")
    ] = False,
) -> None:
    """Run everything: database, API, pages, engine. Ctrl-C stops it."""
    from panelry.ops import up as everything

    host, port = _address(listen)
    everything.run(session, host=host, port=port, demo=demo)


def serve(
    session: Session,
    *,
    listen: Listen = "127.0.0.1:8000",
    only: Annotated[Literal["api", "web"] | None, typer.Option(help="Without it both.")] = None,
    with_engine: Annotated[bool, typer.Option("--with-engine", hidden=True)] = False,
) -> None:
    """Serve the API and the pages."""
    from panelry.ops.running import run_server

    host, port = _address(listen)
    run_server(session, host=host, port=port, part=only or "all", with_engine=with_engine)


def work(session: Session) -> None:
    """Run the engine: send, follow, reconcile, keep the timetable."""
    from panelry.ops.running import run_engine

    run_engine(session)


def migrate(session: Session) -> None:
    """Bring the database up to date."""
    with session.database(migrate="always"):
        session.say({}, "The database is up to date.")


def doctor(session: Session) -> None:
    """Check everything and say what to do."""
    from panelry.ops.doctor import examine
    from panelry.ops.tables import table

    checks = examine(session)
    rows = [
        {"check": c.name, "result": "ok" if c.is_well else "WRONG", "what to do": c.advice} for c in checks
    ]
    value: dict[str, Any] = {
        "checks": [{"name": c.name, "ok": c.is_well, "advice": c.advice} for c in checks]
    }
    if not all(c.is_well for c in checks):
        raise CommandFailed(f"not everything is well\n{table(rows, empty='')}", value)
    session.say(value, table(rows, empty=""))


def sandbox(
    session: Session,
    *,
    listen: Listen = "127.0.0.1:8099",
    log: Annotated[Path, typer.Option(help="Where each accepted order is written before it is answered.")],
    key: Annotated[
        str | None, typer.Option(envvar="PANELRY_SANDBOX_KEY", help="The only key it takes; without it any.")
    ] = None,
    speed: Annotated[float, typer.Option(min=0.001, help="10 runs ten times faster.")] = 1.0,
    dialect: Annotated[Literal["classic", "panelry"], typer.Option(help="How it speaks.")] = "classic",
) -> None:
    """Run the sandbox provider, for trying things out."""
    import structlog

    from panelry.connectors.sandbox import SandboxOptions, run
    from panelry.ops import logs, running

    def ready(url: str) -> None:
        if is_part:  # whose stdout is the log
            structlog.get_logger("panelry.sandbox").info("sandbox_ready", url=url)
        else:
            session.say({"url": url}, f"Sandbox provider at {url}")

    host, port = _address(listen)
    is_part = running.hold_lifeline()
    if is_part:
        logs.configure(session.settings)
    options = SandboxOptions(host=host, port=port, log=log, key=key, speed=speed, dialect=dialect)
    run(options, ready=ready)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65_535:
        raise typer.BadParameter("it must be HOST:PORT", param_hint="--listen")
    return host.strip("[]"), int(port)
