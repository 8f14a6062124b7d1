"""`panelry up`: everything in one go, on one machine."""

import errno
import fcntl
import http.client
import os
import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from panelry import clock
from panelry.database import installation
from panelry.ops import logs, signals
from panelry.ops.session import CommandFailed, Session
from panelry.ops.supervisor import Part, Supervisor
from panelry.settings import Settings

READY_SECONDS: Final = 60.0
PORT_SECONDS: Final = 2.0  # what was killed a moment ago may still be closing its socket


def run(session: Session, *, host: str, port: int, demo: bool) -> None:
    """Run all parts until a signal says stop."""
    logs.configure(session.settings)
    stop = signals.stop_on_signals()
    with _only_one(session.settings.data):
        port = free_port(host, port)
        logs.warn_of_development(session.settings)
        is_embedded = session.settings.database_url is None
        with session.database(migrate="needed", keep=True) as settings:
            from panelry.ops.presence import Presence

            Presence(settings).check()
            shown: dict[str, Any] = {"address": _address(host, port)}
            parts = _parts(host, port)
            # Each part counts itself among the users of an embedded server.
            environment = {"DATABASE_URL": ""} if is_embedded else {}
            if demo:
                from panelry.ops import demo as demonstration

                sandboxes, told = demonstration.prepare(session, settings, address=shown["address"])
                parts = [*sandboxes, *parts]
                shown |= told
                environment["PANELRY_PROVIDERS_PRIVATE"] = "1"
            with Supervisor(parts, data=settings.data, environment=environment):
                if _wait_until_ready(host, port, stop):
                    session.say(shown, _welcome(session, settings, shown))
                stop.wait()


def free_port(host: str, port: int) -> int:
    """Return the port once it can be listened on, a free one for 0. Raises `CommandFailed` when somebody has it."""
    until = clock.monotonic() + PORT_SECONDS
    while True:
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
                return int(probe.getsockname()[1])
        except OSError as error:
            if error.errno != errno.EADDRINUSE or clock.monotonic() > until:
                raise CommandFailed(f"cannot listen on {host}:{port}: {error.strerror}") from error
        threading.Event().wait(0.1)


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Hold the data directory alone among those who run `up`: two would start everything twice."""
    handle = installation.open_private(installation.data_directory(data) / "up.lock")
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandFailed(
                f"another `panelry up` runs on {data}: stop it, or choose another --data"
            ) from None
        yield
    finally:
        os.close(handle)


def _parts(host: str, port: int) -> list[Part]:
    listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return [
        Part(name="serve", arguments=["serve", "--listen", listen, "--with-engine"]),
        Part(name="work", arguments=["work"]),
    ]


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (it is what we were told)


def _address(host: str, port: int) -> str:
    shown = _reachable(host)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _wait_until_ready(host: str, port: int, stop: threading.Event) -> bool:
    """Wait until requests would be answered; `False` when told to stop before."""
    until = clock.monotonic() + READY_SECONDS
    while not stop.wait(0.05):
        if is_ready(host, port):
            return True
        if clock.monotonic() > until:
            raise CommandFailed("it did not become ready within a minute; the log says why")
    return False


def is_ready(host: str, port: int) -> bool:
    """Return whether a server there would answer requests now."""
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(session: Session, settings: Settings, shown: dict[str, Any]) -> str:
    address = shown["address"]
    lines = ["", f"Panelry is ready at {address}", ""]
    if settings.development:
        lines += [*logs.DEVELOPMENT_BANNER, ""]
    if "key" in shown:
        lines += [
            f"Customer   {shown['customer']}   password {shown['password']}",
            f"Staff      {shown['staff']}   password {shown['password']}   at {address}/office/",
        ]
    else:
        where = f"  export PANELRY_DATA={shlex.quote(str(settings.data))}"
        lines += [
            "First steps, in another terminal:",
            *([where] if session.data else []),
            "  panelry account create you@example.com --staff --password …     to log in",
            "  panelry provider add NAME https://…/api/v2 --key …              where you buy",
            "  panelry catalog import NAME --markup 20                         what you sell",
            "  panelry account credit you@example.com 10.00 --reason trying",
            "  panelry key create you@example.com",
        ]
    curl = shown.get("curl") or (
        f"curl -s {address}/api/v2 -d key=pnl_… -d action=add -d service=1 "
        "-d link=https://example.com/ -d quantity=100 -d request_id=first-order"
    )
    return "\n".join([*lines, "", "Place an order:", f"  {curl}", "", "Ctrl-C stops it.", ""])
