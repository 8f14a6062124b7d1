"""The long-running commands, each one process."""

import asyncio
import signal
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from typing import Any, Literal

from panelry import clock
from panelry import settings as panelry_settings
from panelry.ops import lifeline, logs, up
from panelry.ops.session import CommandFailed, Session
from panelry.ops.up import Part, Supervisor
from panelry.settings import Settings

READY_SECONDS = 60.0


def hold_lifeline() -> None:
    """End with the parent, where there is one that said so."""
    descriptor = panelry_settings.lifeline()
    if descriptor is not None:
        lifeline.watch(descriptor)


def run_server(
    session: Session, *, host: str, port: int, part: Literal["api", "web", "all"], with_engine: bool
) -> None:
    """Serve until a signal says stop."""
    import uvicorn

    logs.configure()
    hold_lifeline()
    panelry_settings.choose_django_settings()
    with session.database() as settings:
        from panelry.asgi import Entrance

        config = uvicorn.Config(
            Entrance(settings, part=part, with_engine=with_engine),
            host=host,
            port=port,
            loop="uvloop",
            http="httptools",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=2048,
            timeout_graceful_shutdown=6,
        )
        uvicorn.Server(config).run()


def run_engine(session: Session) -> None:
    """Work until a signal says stop."""
    import uvloop

    from panelry.engine import engine

    logs.configure()
    hold_lifeline()
    with session.database() as settings:

        async def run() -> None:
            stop = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            await engine.run(settings, stop)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())


def run_everything(session: Session, *, host: str, port: int, demo: bool) -> None:
    """Run all parts on one machine until a signal says stop."""
    logs.configure()
    try:
        up.refuse_if_taken(host, port)
    except OSError as error:
        raise CommandFailed(f"cannot listen on {host}:{port}: {error.strerror}") from error
    stop = up.stop_on_signals()
    has_cluster = session.settings.database_url is None
    with session.database() as settings:
        shown: dict[str, Any] = {"address": _address(host, port)}
        parts = _parts(host, port)
        if demo:
            from panelry.ops import demo as demonstration

            sandboxes, told = demonstration.prepare(session, settings, address=shown["address"])
            parts = [*sandboxes, *parts]
            shown |= told
        children = {"PANELRY_PROVIDERS_PRIVATE": "1"} if demo else {}
        for part in parts:
            part.environment |= children | ({"DATABASE_URL": ""} if has_cluster else {})
        supervisor = Supervisor(parts, settings=settings, has_cluster=has_cluster)
        try:
            supervisor.start()
            watching = threading.Thread(target=supervisor.watch, args=[stop], daemon=True)
            watching.start()
            if _wait_until_ready(shown["address"], stop):
                session.say(shown, _welcome(settings, shown))
            stop.wait()
            watching.join()
        finally:
            supervisor.stop()


def _parts(host: str, port: int) -> list[Part]:
    listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return [
        Part(name="serve", arguments=["serve", "--listen", listen, "--with-engine"]),
        Part(name="work", arguments=["work"]),
    ]


def _address(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


def _wait_until_ready(address: str, stop: threading.Event) -> bool:
    """Wait until requests would be answered; `False` when told to stop before."""
    until = clock.monotonic() + READY_SECONDS
    while not stop.wait(0.05):
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{address}/readyz", timeout=2):  # noqa: S310
            return True
        if clock.monotonic() > until:
            raise CommandFailed("it did not become ready within a minute; the log says why")
    return False


def _welcome(settings: Settings, shown: dict[str, Any]) -> str:
    banner = ["", f"Panelry is ready at {shown['address']}"]
    if settings.development:
        banner.append("DEVELOPMENT MODE: private addresses are allowed. Never on the open internet.")
    if "key" not in shown:
        banner += [
            "",
            "Make your own log-in:",
            "  panelry account create you@example.com --staff --password …",
        ]
    else:
        banner += [
            "",
            f"Customer   {shown['customer']}   password {shown['password']}",
            f"Staff      {shown['staff']}   password {shown['password']}   at {shown['address']}/office/",
            "",
            "Place an order:",
            f"  {shown['curl']}",
        ]
    return "\n".join([*banner, "", "Ctrl-C stops it.", ""])
