"""The one entrance: /api/v2 to the API, health and metrics to whoever watches, everything else to the pages."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec
import psycopg
import structlog
from psycopg_pool import PoolTimeout
from structlog.contextvars import bound_contextvars

from panelry import peers
from panelry.api.app import Api, Receive, Scope, Send, Tell
from panelry.api.beside import Beside
from panelry.api.limits import Limits
from panelry.api.sharing import SharedWindows
from panelry.api.windows import OwnWindows
from panelry.connectors.addresses import for_webhooks
from panelry.database import health
from panelry.database.pool import Pool
from panelry.domain.orders import Draft, Placed
from panelry.domain.refusals import Refusal
from panelry.domain.vault import open_vault
from panelry.metrics import Metrics, Readings
from panelry.settings import Settings

Part = Literal["api", "web", "all"]

API_PATHS: Final = frozenset({"/api/v2", "/api/v2/"})
CONNECTIONS: Final = 10
ENGINE_SECONDS: Final = 10.0
CONTENT_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"
FORWARDED: Final = b"x-forwarded-for"
UNTOLD: Final = frozenset({FORWARDED, b"forwarded", b"via"})
log = structlog.get_logger()


class Entrance:
    """The ASGI application of `panelry serve`: the API, the pages, or both; health and metrics always."""

    def __init__(
        self,
        settings: Settings,
        *,
        part: Part = "all",
        with_engine: bool = False,
        processes: Callable[[], int] = lambda: 1,
        tell: Tell | None = None,
        placer: Beside[Draft, Placed | Refusal] | None = None,
    ) -> None:
        """Serve one part; `with_engine` makes readiness depend on an engine that is alive, too.

        `processes` tells how many processes serve the API at present, `tell` writes a line for each of its requests,
        `placer` places orders where threads of this process are not to do that.
        """
        assert settings.database_url is not None
        self._settings = settings
        self._pool = Pool(
            settings.database_url, size=CONNECTIONS, prepare=settings.prepare, name="panelry serve"
        )
        self._metrics = Metrics()
        self._metrics.add(Readings(self._pool))
        self._shared: SharedWindows | None = None
        self._placer = placer
        self._api = self._make_api(processes, tell) if part != "web" else None
        self._web = _pages() if part != "api" else None
        self._with_engine = with_engine
        self._probe: asyncio.Task[str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lead each request to its door."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        path = scope["path"]
        if path == "/healthz":
            await _json(send, 200, {"status": "ok"})
        elif path == "/readyz":
            problem = await self._readiness()
            await _json(send, 503 if problem else 200, {"status": problem or "ready"})
        else:
            is_told = self._look_behind_proxies(scope)
            if path in API_PATHS and self._api is not None:
                await self._api(scope, receive, send)
            elif path == "/metrics" and self._may_measure(scope, is_told=is_told):
                await _answer(send, 200, CONTENT_TYPE, await asyncio.to_thread(self._metrics.text))
            elif self._web is not None and path != "/metrics":
                with bound_contextvars(request_id="req_" + secrets.token_hex(13)):
                    await self._web.application(scope, receive, send)
            else:
                await _json(send, 404, {"error": "Not found"})

    def _make_api(self, processes: Callable[[], int], tell: Tell | None) -> Api:
        settings = self._settings
        own = OwnWindows(processes=processes)
        if settings.limits and settings.valkey_url:
            self._shared = SharedWindows(settings.valkey_url, own, processes=processes)
            self._metrics.watch_limits(lambda: self._shared is not None and self._shared.is_alone)
        limits = Limits(
            self._shared or own if settings.limits else None, ip_per_minute=settings.ip_per_minute
        )
        return Api(
            self._pool,
            currency=settings.currency,
            vault=open_vault(settings),
            webhook_policy=for_webhooks(settings),
            limits=limits,
            metrics=self._metrics,
            tell=tell,
            place=self._placer,
        )

    def _look_behind_proxies(self, scope: Scope) -> bool:
        """Let the request come from whom a trusted proxy names; return whether one sent it."""
        trusted = self._settings.trusted_proxies
        peer = scope["client"][0] if scope.get("client") else None
        if not trusted or (peers.read(peer) if peer else None) not in trusted:
            return False
        forwarded = [value for name, value in scope["headers"] if name == FORWARDED]
        client = peers.client(peer, forwarded, trusted=trusted)
        scope["client"] = None if client is None else (client, 0)
        return True

    def _may_measure(self, scope: Scope, *, is_told: bool) -> bool:
        """Tell whether metrics are for this client; not where a proxy stands before it that nobody listed."""
        if not is_told and any(name in UNTOLD for name, _ in scope["headers"]):
            return False
        client = peers.read(scope["client"][0]) if scope.get("client") else None
        return client in self._settings.metrics_allow

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
        if self._shared is not None:
            await self._shared.start()
        if self._placer is not None:
            await self._placer.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._shared is not None:
            await self._shared.stop()
        if self._api is not None:
            self._api.close()
        if self._placer is not None:
            await self._placer.close()
        if self._web is not None:
            await asyncio.to_thread(self._web.close)
        await asyncio.to_thread(self._pool.close)
        await send({"type": "lifespan.shutdown.complete"})


def _pages() -> Any:
    from panelry.web import asgi

    return asgi


async def _json(send: Send, status: int, value: dict[str, str]) -> None:
    await _answer(send, status, b"application/json", msgspec.json.encode(value))


async def _answer(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
