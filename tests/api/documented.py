"""The receivers of docs/resellers/webhooks.md as processes of their own."""

import http.client
import re
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

PAGE: Final = (Path(__file__).parents[2] / "docs" / "resellers" / "webhooks.md").read_text()
RECEIVERS: Final = dict(
    re.findall(r"^### ([^\n]+)\n```((?:python|javascript|php)\n.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
"""Each receiver's heading, with its language and program."""
_FILES: Final = {"python": "receiver.py", "javascript": "receiver.mjs", "php": "receiver.php"}


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
def receiving(heading: str, folder: Path, secret: str) -> Iterator[Receiver]:
    """Run the receiver under this heading until the end of the block."""
    language, _, program = RECEIVERS[heading].partition("\n")
    file, port = folder / _FILES[language], servers.free_port()
    file.write_text(program)
    environment = child_environment(WEBHOOK_SECRET=secret, PORT=str(port))
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            _command(language, file, port), env=environment, stdout=output, stderr=subprocess.PIPE
        )
    try:
        _wait_for(process, port)
        yield Receiver(port, folder)
    finally:
        process.kill()
        process.communicate()


def _command(language: str, file: Path, port: int) -> list[str]:
    if language == "python":
        return [sys.executable, str(file)]
    program = shutil.which("node" if language == "javascript" else "php")
    if program is None:
        pytest.skip(f"nothing here runs {language}: tests/install-system-packages installs it")
    return (
        [program, str(file)] if language == "javascript" else [program, "-S", f"127.0.0.1:{port}", str(file)]
    )


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
