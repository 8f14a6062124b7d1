"""The one entrance: /api/v2 to the API, health to whoever watches, everything else to the pages."""

import asyncio
from typing import Any, Final, Literal

import msgspec
import psycopg
import structlog
from psycopg_pool import PoolTimeout

from panelry.api.app import Api, Receive, Scope, Send
from panelry.database import health
from panelry.database.pool import Pool
from panelry.settings import Settings

Part = Literal["api", "web", "all"]

API_PATHS: Final = frozenset({"/api/v2", "/api/v2/"})
CONNECTIONS: Final = 10
ENGINE_SECONDS: Final = 10.0
log = structlog.get_logger()


class Entrance:
    """The ASGI application of `panelry serve`: the API, the pages, or both; health always."""

    def __init__(self, settings: Settings, *, part: Part = "all", with_engine: bool = False) -> None:
        """Serve one part; `with_engine` makes readiness depend on an engine that is alive, too."""
        assert settings.database_url is not None
        self._pool = Pool(
            settings.database_url, size=CONNECTIONS, prepare=settings.prepare, name="panelry serve"
        )
        self._api = Api(self._pool, currency=settings.currency) if part != "web" else None
        self._web = _pages() if part != "api" else None
        self._with_engine = with_engine
        self._probe: asyncio.Task[str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead each request to its door."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
        elif self._api is not None and scope["path"] in API_PATHS:
            await self._api(scope, receive, send)
        elif scope["path"] == "/healthz":
            await _json(send, 200, {"status": "ok"})
        elif scope["path"] == "/readyz":
            problem = await self._readiness()
            await _json(send, 503 if problem else 200, {"status": problem or "ready"})
        elif self._web is not None:
            await self._web.application(scope, receive, send)
        else:
            await _json(send, 404, {"error": "Not found"})

    async def _readiness(self) -> str:
        """Say what is wrong; whoever asks at the same time shares one look, so that asking cannot become a load."""
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(asyncio.to_thread(self._problem))
        return await asyncio.shield(self._probe)

    def _problem(self) -> str:
        """Say why requests could not be served now; empty when they could."""
        for _ in range(2):
            try:
                return self._look()
            except PoolTimeout:
                break
            except psycopg.Error as error:
                log.warning("not_ready", error=repr(error))
                self._pool.check()  # it may have been an old connection to a server that is back
        return "the database cannot be reached"

    def _look(self) -> str:
        with self._pool.transaction() as conn:
            if not health.is_current(conn):
                return "migrations are missing: run panelry migrate"
            age = health.engine_age(conn)
        return "no engine is at work" if self._with_engine and (age is None or age > ENGINE_SECONDS) else ""

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._api is not None:
            self._api.close()
        if self._web is not None:
            await asyncio.to_thread(self._web.close)
        await asyncio.to_thread(self._pool.close)
        await send({"type": "lifespan.shutdown.complete"})


def _pages() -> Any:
    from panelry.web import asgi

    return asgi


async def _json(send: Send, status: int, value: dict[str, str]) -> None:
    body = msgspec.json.encode(value)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
