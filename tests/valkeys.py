"""A real Redis or Valkey for tests, which can be killed and started again."""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import valkey

import servers
from panelry import settings as panelry_settings

PASSWORD = "a password of the tests"


@dataclass
class Valkey:
    """A server that keeps nothing on disk, with a password."""

    folder: Path
    port: int = field(default_factory=servers.free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"valkey://:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/3"

    @property
    def unix_url(self) -> str:
        return f"unix://:{PASSWORD.replace(' ', '%20')}@{self.folder}/valkey.sock?db=3"

    @property
    def client(self) -> valkey.Valkey:
        return valkey.Valkey.from_url(self.url)

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(
            [_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--requirepass", PASSWORD, "--unixsocket", str(self.folder / "valkey.sock"), "--dir", str(self.folder),
             "--logfile", str(self.folder / "valkey.log")],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + 10
        while True:
            try:
                self.client.ping()
            except valkey.ValkeyError:
                assert time.monotonic() < until, (self.folder / "valkey.log").read_text()
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """End it at once; what it knew is lost."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _program() -> str:
    """Find the server; in CI it must be there."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        assert panelry_settings.child_environment().get("CI") != "true", "run tests/install-system-packages"
        pytest.skip("no redis-server: run tests/install-system-packages")
    return os.fspath(found)
