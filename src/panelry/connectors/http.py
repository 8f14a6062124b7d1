"""The one HTTP client for calls to the outside: time-outs, size limits, address checks.

It says exactly whether the other side could have read a request that failed. aiohttp writes the first byte only after its
connector handed over a connection, and the client watches that moment: trouble before it is `NotRead`, trouble after it is `Ambiguous`, whatever the exception is called.
"""

import asyncio
import errno
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Final, Self
from urllib.parse import urlencode

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from panelry.connectors.addresses import AddressPolicy

ANSWER_LIMIT: Final = 2_000_000
KEPT_SECONDS: Final = 4.0
"""How long an idle connection is kept: less than servers do, whose usual 5 s would end some under our requests."""
_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # and nothing is ever decompressed, so no small answer can become a large one
    "User-Agent": "Panelry",
}
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class NotRead(Exception):
    """The other side surely never read the request: no connection came about (DNS, refused, TLS, time-out)."""


class NotAllowed(NotRead):
    """The address may not be dialled; only a person can cure that."""


class Ambiguous(Exception):
    """The request, or a part of it, may have been read, and there is no complete answer."""


class _AddressRefused(OSError):
    """Raised in the place of dialling; an `OSError`, so that aiohttp tries the name's other addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A complete answer, of any status; redirects are answers too, they are never followed."""

    status: int
    body: bytes
    retry_after: str | None = None


@dataclass(slots=True)
class _Trip:
    """How far one request came; while `connected` is false not one of its bytes can have left."""

    connected: bool = False


class HttpClient:
    """One client per process, used as `async with HttpClient(…) as http`.

    `connect_seconds` bounds name lookup, connection and TLS together, `total_seconds` the whole call. `resolver`
    replaces the system's name lookup.
    """

    def __init__(
        self,
        *,
        policy: AddressPolicy,
        connect_seconds: float,
        total_seconds: float,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._policy = policy
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._resolver = resolver
        self._open = AsyncExitStack()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        for fresh in (False, True):
            self._sessions[fresh] = await self._open.enter_async_context(self._session(fresh=fresh))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def post_form(
        self, url: str, fields: Mapping[str, str], *, limit: int = ANSWER_LIMIT, fresh: bool = False
    ) -> Answer:
        """Post a form; see `post`."""
        return await self.post(url, urlencode(fields).encode(), _FORM, limit=limit, fresh=fresh)

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        limit: int = ANSWER_LIMIT,
        cut: bool = False,
        fresh: bool = False,
    ) -> Answer:
        """Post once and return the answer, whatever its status.

        `limit` is in bytes: of a longer body only so much is read, and taken for the whole where `cut` says so.

        `fresh` asks for a connection of its own: one kept alive may be closed by the other side at the same moment,
        and then nobody can tell whether the request was read. Raises `NotRead`, `NotAllowed` or `Ambiguous`.
        """
        objection = self._policy.objection(url)
        if objection is not None:
            raise NotAllowed(f"the URL may not be called: {objection}")
        session, trip = self._sessions[fresh], _Trip()
        try:
            async with asyncio.timeout(self._total_seconds):
                response = await session.post(
                    URL(url), data=body, headers=headers, allow_redirects=False, trace_request_ctx=trip
                )
                return await _answer(response, limit, cut=cut)
        except Ambiguous:
            raise
        except Exception as error:  # how far the request came decides, not the name of what stopped it
            raise self._failure(trip, error) from error

    def _failure(self, trip: _Trip, error: Exception) -> NotRead | Ambiguous:
        if isinstance(getattr(error, "os_error", None), _AddressRefused):
            return NotAllowed("the name resolves to an address that may not be called")
        if isinstance(error, TimeoutError):
            return (
                Ambiguous(f"no complete answer within {self._total_seconds:g} s")
                if trip.connected
                else NotRead(f"no connection within {min(self._connect_seconds, self._total_seconds):g} s")
            )
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
        return Ambiguous(text) if trip.connected else NotRead(text)

    def _session(self, *, fresh: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,  # the engine limits what is in flight, per provider; a queue here would eat the connect time-out
            force_close=fresh,
            keepalive_timeout=None if fresh else KEPT_SECONDS,
            resolver=self._resolver,
            socket_factory=self._socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_seconds),
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            trace_configs=[_watch()],
        )

    def _socket(self, address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, where = address
        if not self._policy.allows(str(where[0])):
            raise _AddressRefused(errno.EACCES, "address not allowed")
        return socket.socket(family, kind, protocol)


async def _answer(response: aiohttp.ClientResponse, limit: int, *, cut: bool) -> Answer:
    received = bytearray()
    try:
        async for chunk in response.content.iter_any():
            received += chunk
            if len(received) > limit and cut:
                break
            if len(received) > limit:
                raise Ambiguous(f"HTTP {response.status}: the answer exceeds {limit} bytes")
    finally:
        response.close()  # spares the connection of an answer that was read to its end
    return Answer(
        status=response.status, body=bytes(received[:limit]), retry_after=response.headers.get("Retry-After")
    )


def _watch() -> aiohttp.TraceConfig:
    async def connected(_session: aiohttp.ClientSession, context: SimpleNamespace, _event: object) -> None:
        context.trace_request_ctx.connected = True

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(connected)
    trace.on_connection_reuseconn.append(connected)
    return trace
