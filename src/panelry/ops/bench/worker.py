"""`python -m panelry.ops.bench.worker`: the engine as `panelry work` runs it, which says on stdout what it has done."""

import asyncio
import json
import signal
import sys
from typing import Final

import structlog
import uvloop

from panelry import clock
from panelry import settings as panelry_settings
from panelry.engine import engine
from panelry.ops import running
from panelry.settings import Settings

TOLD: Final = frozenset({"engine_started", "statuses_applied", "submissions_recorded", "deliveries_recorded"})
TROUBLE: Final = frozenset({"warning", "error", "exception", "critical"})


def main() -> None:
    """Work on the database of the environment until told to end."""
    running.hold_lifeline()
    structlog.configure(
        processors=[_tell, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger("debug"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    settings = panelry_settings.load()
    assert settings.database_url is not None
    panelry_settings.publish(settings.database_url, settings.data)
    running.collect_seldom()
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await engine.run(settings, stop)


def _tell(_: object, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Say what was done, and when; of all else only trouble is logged."""
    if event["event"] in TOLD:
        sys.stdout.write(json.dumps({**event, "at": clock.monotonic()}) + "\n")
        sys.stdout.flush()
    if method not in TROUBLE:
        raise structlog.DropEvent
    return event


if __name__ == "__main__":
    main()
