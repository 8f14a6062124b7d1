"""`panelry up`: everything in one go, kept running. Starts the parts as processes, restarts one that dies."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from panelry import clock
from panelry import settings as panelry_settings
from panelry.database import embedded
from panelry.settings import Settings

log = structlog.get_logger("panelry.up")

STOP_SECONDS: Final = 9.0
WATCH_SECONDS: Final = 0.2
STEADY_SECONDS: Final = 10.0
LONGEST_WAIT_SECONDS: Final = 5.0


@dataclass(slots=True)
class Part:
    """One child process: how to start it, and how it is doing."""

    name: str
    arguments: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    failures: int = 0


class Supervisor:
    """Keeps parts running until it is told to stop. If it is killed, its parts end by themselves."""

    def __init__(self, parts: Sequence[Part], *, settings: Settings, has_cluster: bool) -> None:
        """Look after these parts, and after the embedded database where there is one."""
        self._parts = parts
        self._settings = settings
        self._has_cluster = has_cluster
        self._lifeline, self._own_end = os.pipe()

    def start(self) -> None:
        """Start every part."""
        for part in self._parts:
            self._start(part)

    def watch(self, stop: threading.Event) -> None:
        """Restart what ends until `stop` is set; a part that keeps failing is given longer and longer breaks."""
        while not stop.wait(WATCH_SECONDS):
            if self._has_cluster:
                self._keep_cluster()
            for part in self._parts:
                self._keep(part)

    def stop(self) -> None:
        """End every part: gently, and after 9 seconds at once."""
        running = [part.process for part in self._parts if part.process and part.process.poll() is None]
        for process in running:
            process.terminate()
        until = clock.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(until - clock.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        os.close(self._own_end)

    def _start(self, part: Part) -> None:
        part.process = subprocess.Popen(
            [sys.executable, "-m", "panelry", *part.arguments, "--data", str(self._settings.data)],
            env=panelry_settings.child_environment(PANELRY_LIFELINE=str(self._lifeline), **part.environment),
            pass_fds=[self._lifeline],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,  # our own stdout carries one answer
            start_new_session=True,  # Ctrl-C reaches us alone; we tell the parts
        )
        part.started_at = clock.monotonic()
        log.info("part_started", part=part.name, pid=part.process.pid)

    def _keep(self, part: Part) -> None:
        now = clock.monotonic()
        if part.process is not None and part.process.poll() is not None:
            part.failures = 0 if now - part.started_at > STEADY_SECONDS else part.failures + 1
            part.start_at = now + min(0.1 * 2**part.failures, LONGEST_WAIT_SECONDS)
            log.warning("part_ended", part=part.name, code=part.process.returncode)
            part.process = None
        if part.process is None and now >= part.start_at:
            self._start(part)

    def _keep_cluster(self) -> None:
        try:
            embedded.revive(self._settings.data)
        except embedded.ClusterError as error:
            log.error("database_not_revived", error=str(error))  # noqa: TRY400 (its text says it all)


def refuse_if_taken(host: str, port: int) -> None:
    """Raise `OSError` when somebody listens there already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM, SIGINT and SIGHUP set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop
