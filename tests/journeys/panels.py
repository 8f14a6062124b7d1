"""Whole panels as real processes over HTTP: `panelry up` on a data directory of its own, and what can be done to it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

import servers
from panelry import settings as panelry_settings
from panelry.database import postmaster

SECRET = "a secret that is only used by panels of tests"
QUICK = {"PANELRY_PROVIDER_TOTAL_SECONDS": "2", "PANELRY_LEASE_SECONDS": "7.5"}
"""Calls end soon, and what a killed engine held is called unknown soon."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """Return its one JSON document."""
        return json.loads(self.out)


@dataclass(kw_only=True)
class Panel:
    """One data directory, and the processes on it."""

    data: Path
    port: int = field(default_factory=servers.free_port)
    settings: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    process: subprocess.Popen[str] | None = None
    told: Any = None
    """What it said when it was ready."""

    @property
    def log(self) -> Path:
        return self.data.with_name(self.data.name + ".log")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def cluster(self) -> Path:
        return (self.data / "postgres").resolve()

    def start(self, *more: str, json: bool = True) -> subprocess.Popen[str]:
        """Start `panelry up` in a session of its own, so that Ctrl-C can be tried on it."""
        more = (*more, "--json") if json else more
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self._command(["up", "--listen", f"127.0.0.1:{self.port}", *more]),
                stdout=subprocess.PIPE, stderr=log, text=True, env=self._environment(), user=self.user,
                start_new_session=True, cwd="/",
            )  # fmt: skip
        return self.process

    def started(self, *more: str) -> Any:
        """Start it and return what it says when it is ready."""
        process = self.start(*more)
        assert process.stdout
        line = process.stdout.readline()
        assert process.poll() is None, line + self.log.read_text()[-3000:]
        return json.loads(line)

    def stop(self, kind: signal.Signals = signal.SIGTERM, *, seconds: float = 30) -> float:
        """End `up` and return how long it took; whatever it leaves is the caller's to look for."""
        assert self.process
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(kind)
        self.process.wait(seconds)
        return time.monotonic() - began

    def spawn(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command."""
        return subprocess.Popen(
            self._command(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self._environment(), user=self.user, cwd="/",
        )  # fmt: skip

    def run(self, *arguments: str) -> Result:
        """Run a command to its end, as it is."""
        process = self.spawn(*arguments)
        out, err = process.communicate(timeout=90)
        return Result(process.returncode, out, err)

    def cli(self, *arguments: str) -> Any:
        """Run a command that must succeed, and return its JSON answer."""
        result = self.run(*arguments, "--json")
        assert result.code == 0, result
        return result.value

    def customer(self, email: str = "customer@example.com", *, credit: str = "1000") -> str:
        """Make an account with money, and return its key."""
        self.cli("account", "create", email)
        self.cli("account", "credit", email, credit, "--reason", "a test")
        return str(self.cli("key", "create", email)["key"])

    def provider(self, name: str, url: str, key: str = "secret", *, dialect: str = "panel_v2") -> None:
        self.cli("provider", "add", name, url, "--key", key, "--dialect", dialect)

    def services(self, provider: str, services: str, *, markup: str = "0") -> dict[str, int]:
        """Import services and return our number of each by the provider's."""
        made = self.cli("catalog", "import", provider, "--services", services, "--markup", markup)
        return {row["provider_service"]: row["service"] for row in made["services"]}

    def call(self, key: str, action: str, *, timeout: float = 10, **fields: object) -> tuple[int, Any]:
        """Call the API once. Raises `OSError` or `HTTPException` where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            body = urlencode({"key": key, "action": action, **fields})
            connection.request("POST", "/api/v2", body, {"Content-Type": "application/x-www-form-urlencoded"})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def add(
        self, key: str, service: int, request_id: str, *, quantity: int = 1000, link: str | None = None
    ) -> str:
        """Place an order that must be taken; its link is its own."""
        link = link or f"https://example.com/{request_id}"
        status, answer = self.call(
            key, "add", service=service, link=link, quantity=quantity, request_id=request_id
        )
        assert status == 200, answer
        return str(answer["order"])

    def status(self, key: str, orders: Sequence[str]) -> dict[str, Any]:
        status, answer = self.call(key, "status", orders=",".join(orders))
        assert status == 200, answer
        return dict(answer)

    def later(self, offset: str) -> None:
        """Set the database's clock so far ahead for whoever connects from now on, a new engine first."""
        with self.connect() as conn:
            conn.execute(f"ALTER DATABASE panelry SET panelry.clock_offset = '{offset}'".encode())
        self.until_restarted("work", self.kill("work"))

    def kill(self, name: str) -> int:
        """Kill -9 a part, `postmaster`, or one `backend` of it that serves a part; return its pid."""
        pid = self.pid(name)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return pid

    def until_restarted(self, name: str, killed: int) -> None:
        until(lambda: self.pid(name) != killed)

    def pid(self, name: str) -> int:
        if name == "postmaster":
            return postmaster.leader(self.cluster) or 0
        if name == "backend":
            with self.connect() as conn:
                [pid] = conn.execute(
                    "SELECT pid FROM pg_stat_activity WHERE application_name IN "
                    "('panelry serve', 'panelry place', 'panelry work') ORDER BY random() LIMIT 1"
                ).fetchall()[0]
                return int(pid)
        started = [line for line in self.lines() if line["event"] == "part_started"]
        return next(line["pid"] for line in reversed(started) if line["part"] == name)

    def connect(self) -> psycopg.Connection[Any]:
        """Look at the embedded database behind the panel's back."""
        return psycopg.connect(postmaster.url(self.cluster, "panelry"), autocommit=True)

    def lines(self) -> list[dict[str, Any]]:
        """Return what was logged; each line is JSON."""
        text = self.log.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def left(self) -> list[int]:
        """Return the processes on this data directory, PostgreSQL's included."""
        wanted = str(self.data).encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if wanted in (process / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return [*found, *postmaster.members(self.cluster)]

    def _command(self, arguments: Sequence[str]) -> list[str]:
        at = arguments.index("--") if "--" in arguments else len(arguments)
        where = ["--data", str(self.data)]
        return [sys.executable, "-m", "panelry", *arguments[:at], *where, *arguments[at:]]

    def _environment(self) -> dict[str, str]:
        ours = ("PANELRY_", "DATABASE_URL", "DJANGO_")
        outer = {k: v for k, v in panelry_settings.child_environment().items() if not k.startswith(ours)}
        own = {"PANELRY_SECRET_KEY": SECRET, "PANELRY_DEVELOPMENT": "1", "PANELRY_LIMITS": "off"}
        return {**outer, **own, **self.settings}


@contextmanager
def panel(data: Path, *more: str, settings: Mapping[str, str] | None = None) -> Iterator[Panel]:
    """Run a panel; whatever happens, nothing of it is left afterwards."""
    one = Panel(data=data, settings=settings or {})
    try:
        one.told = one.started(*more)
        yield one
    finally:
        clear_away(one)


def clear_away(one: Panel) -> None:
    """End every process of a panel, gently where that works."""
    if one.process:
        with suppress(subprocess.TimeoutExpired):
            one.stop()
    for pid in one.left():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def until(holds: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait for a condition; trouble with the network meanwhile is as good as no."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(OSError, http.client.HTTPException, psycopg.Error):
            if holds():
                return
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
