"""Windows that several processes count in together, over Valkey or Redis.

A window is counted in one place from its beginning to its end. When Valkey is away, each process goes on alone with its
share of every limit, less what it took in that minute already; when Valkey is back, counting together begins again with
the next minute, because what it knew of the present one may be lost.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final

import structlog
import valkey
from valkey.backoff import NoBackoff
from valkey.retry import Retry

from panelry.api.batching import Gathering, Unavailable, in_thread
from panelry.api.windows import WINDOW_SECONDS, Bucket, OwnWindows, Taken, minute

SOCKET_SECONDS: Final = 0.1
ANSWER_SECONDS: Final = 0.25
"""How long a request waits at most, looking up the server's name included; it waits so once, then all go on alone."""
AGAIN_SECONDS: Final = 1.0
MOST_AT_ONCE: Final = 256
SCRIPT: Final = Path(__file__).with_name("windows.lua").read_text()
Ask = tuple[Sequence[Bucket], int]
log = structlog.get_logger()


class SharedWindows:
    """Counts where all API processes count; requests that wait go in one round trip."""

    def __init__(
        self, url: str, own: OwnWindows, *, processes: Callable[[], int], now: Callable[[], int] = minute
    ) -> None:
        """Count at `url`, and in `own` for the time that it is away."""
        self._client = valkey.Valkey.from_url(
            url,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._script = self._client.register_script(SCRIPT)
        self._own = own
        self._processes = processes
        self._now = now
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="limits")
        self._together: Gathering[Ask, Taken] = Gathering(
            in_thread(self._take_set, self._thread, recover=lambda: None), most=MOST_AT_ONCE
        )
        self._is_there = False
        self._lost_in = -1
        self._has_alarmed = False
        self._keeper: asyncio.Task[None] | None = None

    @property
    def is_alone(self) -> bool:
        """Whether this process counts for itself now."""
        return not self._is_there or self._now() <= self._lost_in

    async def take(self, buckets: Sequence[Bucket], units: int = 1) -> Taken:
        """Take units from all buckets where all have room, else from none; 0 units just look."""
        if self.is_alone:
            return self._own.take(buckets, units)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                taken = await self._together.ask((buckets, units))
        except (Unavailable, TimeoutError) as error:
            self._lost(error)
            return self._own.take(buckets, units)
        if taken.denied is None and units:
            self._own.note(buckets, units)
        return taken

    async def start(self) -> None:
        """Look for the server, and from now on every second while it is away."""
        await self._look()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Let go of the server."""
        if self._keeper is not None:
            self._keeper.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._client.connection_pool.disconnect()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            if not self._is_there:
                await self._look()
            if self._has_alarmed and not self.is_alone:
                self._has_alarmed = False
                log.info("limits_shared_again")

    async def _look(self) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._ping)
        except Unavailable as error:
            self._lost(error)
        else:
            self._is_there = True

    def _lost(self, error: Exception) -> None:
        self._is_there = False
        self._lost_in = self._now()
        if not self._has_alarmed:
            self._has_alarmed = True
            log.error("limits_alone", error=repr(error.__cause__ or error), processes=self._processes())

    def _ping(self) -> None:
        try:
            self._client.ping()
        except (valkey.ValkeyError, OSError) as error:
            raise Unavailable from error

    def _take_set(self, asked: Sequence[Ask]) -> list[Taken]:
        keys = [bucket.name for buckets, _ in asked for bucket in buckets]
        numbers: list[int] = []
        for buckets, units in asked:
            numbers += [units, len(buckets), *(bucket.limit for bucket in buckets)]
        try:
            answer = iter(self._script(keys, [WINDOW_SECONDS, *numbers]))
        except (valkey.ValkeyError, OSError) as error:
            raise Unavailable from error
        resets_at = next(answer)
        return [_taken(len(buckets), resets_at, answer) for buckets, _ in asked]


def _taken(buckets: int, resets_at: int, answer: Iterator[int]) -> Taken:
    denied, *left = islice(answer, 1 + buckets)
    return Taken(left=left, denied=denied - 1 if denied else None, resets_at=resets_at)
