"""The servers that a load goes to, each a process of its own: the API as `panelry up` starts it, and a bare one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from panelry import clock
from panelry import settings as panelry_settings
from panelry.ops import up
from panelry.ops.bench.ground import Ground
from panelry.ops.session import CommandFailed

HOST: Final = "127.0.0.1"
READY_SECONDS: Final = 30.0
STOP_SECONDS: Final = 9.0
IP_PER_MINUTE: Final = 9_999_999
"""All callers of a benchmark have one address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers."""

    url: str
    pid: int


@contextmanager
def api(ground: Ground) -> Iterator[Server]:
    """Serve the API on this ground, with default settings but the limit of an address; its log is a file beside it."""
    port = up.free_port(HOST, 0)
    arguments = [
        "panelry",
        "serve",
        "--only",
        "api",
        "--listen",
        f"{HOST}:{port}",
        "--data",
        str(ground.settings.data),
    ]
    with _running(arguments, port, ground.settings.data / "api.log") as server:
        yield server


@contextmanager
def bare(ground: Ground) -> Iterator[Server]:
    """Serve a constant with the API's server."""
    port = up.free_port(HOST, 0)
    with _running(["panelry.ops.bench.bare", str(port)], port, ground.settings.data / "bare.log") as server:
        yield server


@contextmanager
def _running(module: list[str], port: int, log: Path) -> Iterator[Server]:
    lifeline, own_end = os.pipe()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            env=panelry_settings.clean_environment(
                PANELRY_LIFELINE=str(lifeline), PANELRY_IP_PER_MINUTE=str(IP_PER_MINUTE)
            ),
            pass_fds=[lifeline],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,  # Ctrl-C reaches us alone, and our end ends it
        )
    os.close(lifeline)
    try:
        _wait_until_ready(process, port, log)
        yield Server(url=f"http://{HOST}:{port}/api/v2", pid=process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(own_end)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = clock.monotonic() + READY_SECONDS
    while not up.is_ready(HOST, port):
        if process.poll() is not None or clock.monotonic() > until:
            raise CommandFailed(f"a server did not become ready: {log.read_text(errors='replace')[-500:]}")
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
