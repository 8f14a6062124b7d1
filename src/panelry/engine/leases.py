"""The one loop that all money-bearing work shares: claim what is due, do it, and when there is nothing, wait a little.

Work is claimed in the database for the time of a lease (a due time pushed into the future), so whatever a killed
worker held becomes due again by itself.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import psycopg
import structlog

log = structlog.get_logger()
AFTER_A_FAILURE: Final = 1.0


async def repeat(
    name: str, step: Callable[[], Awaitable[int]], *, stop: asyncio.Event, idle_seconds: float
) -> None:
    """Run a step again and again until `stop`; a step returns how much it found to do.

    After a step with nothing to do it waits about `idle_seconds`, after one that failed a second: a fault of the
    database or a bug is logged and loses nothing.
    """
    while not stop.is_set():
        wait = AFTER_A_FAILURE
        try:
            found = await step()
            wait = 0.0 if found else idle_seconds * random.uniform(0.75, 1.25)  # noqa: S311 (spreads load)
        except psycopg.OperationalError as error:
            log.warning("database_away", loop=name, error=str(error).strip())
        except Exception:
            log.exception("step_failed", loop=name)
        if wait:
            await pause(wait, stop)


async def pause(seconds: float, stop: asyncio.Event) -> None:
    """Wait, but not longer than until `stop`."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
