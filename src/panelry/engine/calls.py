"""Questions to providers that are under way: bounded at each provider, so that a slow one keeps no other waiting."""

import asyncio
from collections import Counter
from collections.abc import Collection, Coroutine
from functools import partial

import structlog

from panelry.domain.providers import ProviderId

log = structlog.get_logger()


async def end(tasks: Collection[asyncio.Task[None]], seconds: float) -> None:
    """Give tasks some seconds to end, then cut them off."""
    if tasks:
        await asyncio.wait(tasks, timeout=max(seconds, 0))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Calls:
    """One loop's calls. What is cut off is claimable again when its lease ends."""

    def __init__(self, name: str, *, most: int = 1) -> None:
        """Allow `most` calls at once at each provider; `name` is what the log says when one fails."""
        self._name = name
        self._most = most
        self._tasks: dict[asyncio.Task[None], ProviderId] = {}

    def room(self, provider_id: ProviderId) -> int:
        """Return how many more calls may start at a provider."""
        return self._most - Counter(self._tasks.values())[provider_id]

    def start(self, provider_id: ProviderId, call: Coroutine[None, None, None]) -> None:
        """Let a call run beside the loop."""
        task = asyncio.create_task(call)
        self._tasks[task] = provider_id
        task.add_done_callback(partial(self._done, provider_id))

    async def wait(self, seconds: float) -> bool:
        """Wait for a call to be back, at most so long; `False` where none is under way."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return True
        return False

    async def drain(self, seconds: float) -> None:
        """Give calls some seconds to end, then cut them off."""
        await end(list(self._tasks), seconds)

    def _done(self, provider_id: ProviderId, task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and task.exception() is not None:
            log.error("call_failed", loop=self._name, provider=provider_id, exc_info=task.exception())
