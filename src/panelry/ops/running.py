"""The long-running pieces, each one process."""

import asyncio
import gc
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from panelry import settings as panelry_settings
from panelry.ops import lifeline, logs, signals, up
from panelry.ops.session import Session
from panelry.settings import Settings

if TYPE_CHECKING:
    import uvicorn

GRACEFUL_SECONDS = 6
NEW_OBJECTS = 20_000
"""So many more than have gone since the last look for garbage, and the next one is due; Python's own figure is 700."""


def run_server(
    session: Session, *, host: str, port: int, part: Literal["api", "web", "all"], with_engine: bool
) -> None:
    """Serve until a signal says stop."""
    is_alone = _begin(session.settings)
    port = up.free_port(host, port)
    panelry_settings.choose_django_settings()
    with session.database(keep=is_alone) as settings, ExitStack() as stack:
        from panelry.api.beside import Beside
        from panelry.asgi import Entrance
        from panelry.ops import placing
        from panelry.ops.presence import Presence

        # Pages alone count no requests.
        processes = stack.enter_context(Presence(settings)).count if part != "web" else lambda: 1
        entrance = Entrance(
            settings,
            part=part,
            with_engine=with_engine,
            processes=processes,
            tell=logs.tell_request,
            placer=Beside("place", partial(placing.start, settings.data)) if part != "web" else None,
        )
        collect_seldom()
        server(entrance, host=host, port=port).run()


def server(
    application: Any, *, host: str, port: int, http: Literal["httptools"] | None = None
) -> "uvicorn.Server":
    """Return the server of an ASGI application as it is set up for all that we serve; uvicorn's own `http` if wanted."""
    import uvicorn

    from panelry.ops.writing import Protocol

    return uvicorn.Server(
        uvicorn.Config(
            application,
            host=host,
            port=port,
            loop="uvloop",
            http=http or Protocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=2048,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
        )
    )


def run_engine(session: Session) -> None:
    """Work until a signal says stop."""
    import uvloop

    from panelry.engine import engine

    is_alone = _begin(session.settings)
    with session.database(keep=is_alone) as settings:

        async def run() -> None:
            stop = asyncio.Event()
            for number in signals.ENDING:
                asyncio.get_running_loop().add_signal_handler(number, stop.set)
            await engine.run(settings, stop)

        collect_seldom()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())


def collect_seldom() -> None:
    """Never look for garbage in what is loaded by now, and elsewhere only after much was made.

    Little of ours refers to itself in circles; looking for it over and over cost a request a seventh of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)


def hold_lifeline() -> bool:
    """End with the parent that started us as one of its parts; `False` where there is none."""
    descriptor = panelry_settings.lifeline()
    if descriptor is not None:
        lifeline.watch(descriptor)
    return descriptor is not None


def _begin(settings: Settings) -> bool:
    """Set up what every long-running program needs; return whether it stands alone, not as a part of `up`."""
    logs.configure(settings)
    is_alone = not hold_lifeline()
    if is_alone:
        logs.warn_of_development(settings)
    return is_alone
