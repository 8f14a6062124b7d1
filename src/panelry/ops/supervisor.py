"""Keeps the parts of `panelry up` running: starts them as processes, restarts one that dies, ends them all."""

import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import structlog

from panelry import clock
from panelry import settings as panelry_settings

log = structlog.get_logger("panelry.up")

STOP_SECONDS: Final = 9.0
WATCH_SECONDS: Final = 0.2
STEADY_SECONDS: Final = 10.0
LONGEST_WAIT_SECONDS: Final = 5.0


@dataclass(slots=True)
class Part:
    """One child process: how to start it, with this in its environment, and how it is doing."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    failures: int = 0


class Supervisor:
    """Keeps parts running inside its `with` block. If it is killed, its parts end by themselves (`lifeline`)."""

    def __init__(self, parts: Sequence[Part], *, data: Path, environment: dict[str, str]) -> None:
        """Look after these parts, all on one data directory and with this on top of our environment."""
        self._parts = parts
        self._data = data
        self._environment = environment
        self._lifeline, self._own_end = os.pipe()
        self._leaving = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        """Start every part."""
        for part in self._parts:
            self._keep(part)
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End every part: gently, and after 9 seconds at once."""
        self._leaving.set()
        self._watcher.join()
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

    def _watch(self) -> None:
        """Restart what ends; a part that keeps failing is given longer and longer breaks."""
        while not self._leaving.wait(WATCH_SECONDS):
            for part in self._parts:
                self._keep(part)

    def _keep(self, part: Part) -> None:
        now = clock.monotonic()
        if part.process is not None and part.process.poll() is not None:
            log.warning("part_ended", part=part.name, code=part.process.returncode)
            self._failed(part, now)
        if part.process is None and now >= part.start_at:
            try:
                self._start(part)
            except OSError as error:
                log.error("part_not_started", part=part.name, error=str(error))  # noqa: TRY400 (its text says it all)
                self._failed(part, now)

    def _failed(self, part: Part, now: float) -> None:
        part.process = None
        part.failures = 0 if now - part.started_at > STEADY_SECONDS else part.failures + 1
        part.start_at = now + min(0.1 * 2**part.failures, LONGEST_WAIT_SECONDS)

    def _start(self, part: Part) -> None:
        part.started_at = clock.monotonic()
        part.process = subprocess.Popen(
            [sys.executable, "-m", "panelry", *part.arguments, "--data", str(self._data)],
            env=panelry_settings.child_environment(
                PANELRY_LIFELINE=str(self._lifeline), **self._environment, **part.environment
            ),
            pass_fds=[self._lifeline],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,  # our own stdout carries one answer
            start_new_session=True,  # Ctrl-C reaches us alone; we tell the parts
        )
        log.info("part_started", part=part.name, pid=part.process.pid)
