"""How many processes serve the API: one that counts requests alone, or several that count them over Valkey."""

import os
import socket
import threading
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Self
from uuid import UUID

import psycopg

from panelry import clock
from panelry.database import presence
from panelry.database.pool import Pool
from panelry.database.presence import BEAT_SECONDS, SILENCE, Process
from panelry.domain import ids
from panelry.ops.session import CommandFailed
from panelry.settings import Settings

LOOK_SECONDS: Final = 0.25
SIGNS_OF_LIFE: Final = 2
"""How often another one must be seen alive before we give way; once it may do while it ends."""


class Presence:
    """This process among those that serve the API, for the time of its `with` block."""

    def __init__(self, settings: Settings) -> None:
        """Look for the others in the database of these settings."""
        assert settings.database_url is not None
        self._pool = Pool(settings.database_url, size=1, prepare=settings.prepare, name="panelry presence")
        self._me = Process(id=ids.new(), machine=machine(), pid=os.getpid())
        self._alone = settings.limits and settings.valkey_url is None
        self._count = 1
        self._leaving = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="presence", daemon=True)

    def count(self) -> int:
        """Return how many there are, as it was at most two seconds ago."""
        return self._count

    def __enter__(self) -> Self:
        """Be one of them. Raises `CommandFailed` where there may be only one, and another is alive."""
        try:
            self._find_room(enter=True)
        except BaseException:
            self._pool.close()
            raise
        self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Be none of them any more."""
        self._leaving.set()
        self._beating.join()
        with suppress(psycopg.Error), self._pool.transaction() as conn:
            presence.leave(conn, self._me)
        self._pool.close()

    def check(self) -> None:
        """Find out whether one more could be here. Raises `CommandFailed` with the reason why not."""
        try:
            self._find_room(enter=False)
        finally:
            self._pool.close()

    def _find_room(self, *, enter: bool) -> None:
        """Wait until no other is alive, where there may be only one; an end shows by silence for ten seconds."""
        signs: dict[UUID, set[datetime]] = {}
        until = clock.monotonic() + SILENCE.total_seconds() + BEAT_SECONDS
        while True:
            with self._pool.transaction() as conn:
                others = presence.others(conn, self._me, has_ended=self._has_ended)
                if not (self._alone and others):
                    if enter:
                        self._count = presence.beat(conn, self._me)
                    return
            for other in others:
                signs.setdefault(other.process.id, set()).add(other.at)
                if len(signs[other.process.id]) > SIGNS_OF_LIFE or clock.monotonic() > until:
                    raise CommandFailed(_refusal(other.process))
            self._leaving.wait(LOOK_SECONDS)

    def _has_ended(self, process: Process) -> bool:
        """Tell whether a process of this machine is gone; one with our own pid was there before us."""
        if process.machine != self._me.machine:
            return False
        if process.pid == self._me.pid:
            return True
        try:
            os.kill(process.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def _beat(self) -> None:
        while not self._leaving.wait(BEAT_SECONDS):
            try:
                with self._pool.transaction() as conn:
                    self._count = presence.beat(conn, self._me)
            except psycopg.Error:
                self._pool.check()  # whoever serves requests tells that the database is away


def machine() -> str:
    """Name this machine, since its last start, and what its pids mean: containers share the rest."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _refusal(other: Process) -> str:
    host = other.machine.partition(" ")[0]
    return (
        f"another process serves the API on this database: pid {other.pid} on {host}. Each would count requests for "
        "itself, and callers would get more than their limits. Stop it, or let all of them count together: set "
        "PANELRY_VALKEY_URL for each"
    )
