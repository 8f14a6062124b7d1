"""The programs of the documentation that take webhooks, as processes of their own."""

import http.client
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

import servers
from panelry.settings import child_environment
from panelry.web.site.developers.texts import program

RECEIVERS: Final = {
    name: program(f"{name}.txt") for name in ("shorter.py", "receiver.py", "receiver.mjs", "receiver.php")
}
"""Each program by its name, which says what runs it."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One that runs, and where it writes down what it took."""

    port: int
    folder: Path

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Deliver something and return the status of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json", **headers})
            return connection.getresponse().status
        finally:
            connection.close()

    def took(self) -> list[str]:
        """Return each state of an order that it took over: order, status and charge."""
        kept = self.folder / "webhooks.sqlite"
        if not kept.exists():
            return (self.folder / "output").read_text().splitlines()
        with sqlite3.connect(kept) as db:
            return [" ".join(row) for row in db.execute("SELECT id, status, charge FROM orders")]


@contextmanager
def receiving(name: str, folder: Path, secret: str, port: int | None = None) -> Iterator[Receiver]:
    """Run one of the programs until the end of the block, on a port of its own unless one is given."""
    file, port = folder / name, port or servers.free_port()
    file.write_text(RECEIVERS[name])
    environment = child_environment(WEBHOOK_SECRET=secret, PORT=str(port))
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            _command(file, port),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
        )
    try:
        _wait_for(process, port)
        yield Receiver(port, folder)
    finally:
        process.kill()
        process.communicate()


def _command(file: Path, port: int) -> list[str]:
    match file.suffix:
        case ".py":
            return [sys.executable, str(file)]
        case ".mjs":
            return [installed("node"), str(file)]
        case _:
            return [installed("php"), "-S", f"127.0.0.1:{port}", str(file)]


def installed(name: str) -> str:
    """Return where a program is; without it the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here: tests/install-system-packages installs it")
    return found


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert process.poll() is None, process.communicate()[1].decode()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the receiver does not listen")
