"""Gathers requests that wait into one domain call: no timer, just what has queued while the last set was at work."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextvars import Context
from typing import Generic, TypeVar

import psycopg
import structlog
from psycopg_pool import PoolTimeout

Ask = TypeVar("Ask")
Got = TypeVar("Got")
Work = Callable[[Sequence[Ask]], Sequence[Got]]
Perform = Callable[[Sequence[Ask]], Awaitable[Sequence[Got]]]
LOST = (psycopg.OperationalError, psycopg.InterfaceError)
log = structlog.get_logger()


class Unavailable(Exception):
    """The database could not be reached, or not at a second try; nothing is known to have happened."""


class Gathering(Generic[Ask, Got]):
    """Asks for many at once what callers ask for one by one; sets of at most `most`, one set at a time."""

    def __init__(
        self, perform: Perform[Ask, Got], *, most: int, observe: Callable[[int], object] = lambda _: None
    ) -> None:
        """Let `perform` answer sets, see `in_thread` and `beside`; `observe` hears of their sizes."""
        self._perform = perform
        self._most = most
        self._observe = observe
        self._waiting: deque[tuple[Ask, asyncio.Future[Got]]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop

    def ask(self, item: Ask) -> asyncio.Future[Got]:
        """Return the answer to one item, to be awaited: `Unavailable` or what `work` raised for this very item."""
        if self._runner is None or self._runner.done():
            self._loop = asyncio.get_running_loop()
            # A set belongs to no single request, so what is logged about it must not carry one's id.
            self._runner = self._loop.create_task(self._run(), context=Context())
        future: asyncio.Future[Got] = self._loop.create_future()
        self._waiting.append((item, future))
        return future

    async def _run(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
            await self._answer([pair for pair in batch if not pair[1].done()])

    async def _answer(self, batch: Sequence[tuple[Ask, asyncio.Future[Got]]]) -> None:
        if not batch:
            return
        self._observe(len(batch))
        try:
            got = await self._perform([item for item, _ in batch])
            assert len(got) == len(batch), "each item has one answer"
        except Exception as error:  # noqa: BLE001 (whatever it is, the callers must hear of it)
            await self._failed(batch, error)
        else:
            for (_, future), answer in zip(batch, got, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _failed(self, batch: Sequence[tuple[Ask, asyncio.Future[Got]]], error: Exception) -> None:
        """Tell the callers.

        Without a database those who still wait hear it, too. One item's bug must not fail the others, so the set is
        tried again in halves until the item stands alone.
        """
        if isinstance(error, Unavailable):
            batch = [*batch, *self._waiting]
            self._waiting.clear()
        elif len(batch) > 1:
            log.warning("set_failed", size=len(batch), error=repr(error))
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                await self._answer(half)
            return
        for _, future in batch:
            if not future.done():
                future.set_exception(error)


def in_thread(work: Work[Ask, Got], executor: Executor, *, recover: Callable[[], None]) -> Perform[Ask, Got]:
    """Do sets in threads of `executor`, `steady`."""
    sure = steady(work, recover)
    return lambda items: asyncio.get_running_loop().run_in_executor(executor, sure, items)


def steady(work: Work[Ask, Got], recover: Callable[[], None]) -> Work[Ask, Got]:
    """Return `work` that is done again, once and after `recover`, where a connection was lost; then `Unavailable`.

    It must be safe to repeat.
    """

    def done(items: Sequence[Ask]) -> Sequence[Got]:
        try:
            try:
                return work(items)
            except PoolTimeout:
                raise
            except LOST:
                recover()
                return work(items)
        except LOST as error:
            raise Unavailable from error

    return done
