"""Engines in processes of their own, that can kill themselves at one of their effects: around a commit or a call."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

from given import VAULT
from panelry import settings as panelry_settings
from panelry.connectors import addresses
from panelry.connectors.http import HttpClient
from panelry.database.pool import Conn, Pool
from panelry.domain.providers import Connector, Provider
from panelry.engine import engine
from panelry.engine.desk import Desk
from panelry.settings import Settings

BEFORE, AFTER = "before", "after"
CONNECTIONS = 4
CALL_SECONDS = 5.0
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(
    ["panelry.engine.engine", "panelry.domain.refills", "panelry.domain.coupons"]
)


class Effect(NamedTuple):
    """The `nth` time that something is about to be made true, or just was: a commit that writes, or a call."""

    name: str
    moment: str
    nth: int

    def __str__(self) -> str:
        return f"{self.moment} {self.name} {self.nth}"


@dataclass(slots=True)
class Effects:
    """Counts and notes what an engine does, and ends it when its hour has come."""

    journal: Path
    doom: Effect | None
    _counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, name: str, moment: str) -> None:
        with self._lock:
            self._counts[name, moment] += 1
            effect = Effect(name, moment, self._counts[name, moment])
            with self.journal.open("a") as journal:
                journal.write(f"{effect.name} {effect.moment} {effect.nth}\n")
            if effect == self.doom:
                os.kill(os.getpid(), signal.SIGKILL)


def effects(journal: Path) -> list[Effect]:
    """Read what an engine did, but for its signs of life."""
    lines = [line.split() for line in journal.read_text().splitlines()]
    return [Effect(name, moment, int(nth)) for name, moment, nth in lines if name != "beat"]


def log(journal: Path) -> str:
    """Read what an engine said."""
    return journal.with_suffix(".log").read_text()


class _Watched:
    """A connector whose calls are effects."""

    def __init__(self, connector: Connector, effects: Effects) -> None:
        self._connector = connector
        self._effects = effects

    def __getattr__(self, name: str) -> Callable[..., Any]:
        ask = getattr(self._connector, name)

        async def call(*asked: object) -> Any:
            self._effects.reach(name, BEFORE)
            try:
                return await ask(*asked)
            finally:
                self._effects.reach(name, AFTER)

        return call


@dataclass(slots=True, kw_only=True)
class WatchedDesk(Desk):
    """A desk at which each commit that writes and each call to a provider is an effect; looking for work is none."""

    effects: Effects

    async def database(self, work: Callable[[Conn], Any]) -> Any:
        name = getattr(work, "func", work).__qualname__.replace(".<locals>.<lambda>", "")
        has_written = False

        def watched(conn: Conn) -> Any:
            nonlocal has_written
            result = work(conn)
            [has_written] = conn.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL").fetchall()[0]
            if has_written:
                self.effects.reach(name, BEFORE)
            return result

        result = await Desk.database(self, watched)
        if has_written:
            self.effects.reach(name, AFTER)
        return result

    def connector(self, provider: Provider) -> Any:
        return _Watched(Desk.connector(self, provider), self.effects)


def watched(url: str, journal: Path, doom: Effect | None = None) -> BaseProcess:
    """Start an engine that notes its effects, and works until it meets its doom or is killed."""
    return _started(url, journal, CALL_SECONDS, doom)


def plain(url: str, journal: Path, *, call_seconds: float) -> BaseProcess:
    """Start an engine as it is; SIGTERM ends it gently."""
    return _started(url, journal, call_seconds)


def _started(url: str, journal: Path, seconds: float, *effects: Effect | None) -> BaseProcess:
    process = processes.Process(target=_live, args=(url, journal, seconds, *effects), daemon=True)
    process.start()
    return process


def _live(url: str, journal: Path, seconds: float, *doom: Effect | None) -> None:
    with journal.with_suffix(".log").open("a") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    loaded = panelry_settings.load({"PANELRY_DEVELOPMENT": "1"})
    settings = replace(loaded, database_url=url, provider_total_seconds=seconds)
    make = partial(WatchedDesk, effects=Effects(journal, *doom)) if doom else Desk
    asyncio.run(_work(settings, make))


async def _work(settings: Settings, make: Callable[..., Desk]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    with ExitStack() as stack:
        assert settings.database_url
        pool = Pool(settings.database_url, size=CONNECTIONS)
        stack.callback(pool.close)
        async with HttpClient(
            policy=addresses.for_providers(settings),
            connect_seconds=settings.provider_connect_seconds,
            total_seconds=settings.provider_total_seconds,
        ) as http:
            desk = make(pool=pool, settings=settings, vault=VAULT, http=http, stop=stop)
            stack.callback(desk.close)
            await engine._work(desk)
