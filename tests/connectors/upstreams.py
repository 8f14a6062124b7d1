"""Real servers on loopback for the tests of connectors, well-behaved and not."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from panelry.connectors.addresses import ANYWHERE, AddressPolicy
from panelry.connectors.http import HttpClient
from panelry.connectors.registry import connect
from panelry.domain.providers import (
    Connector,
    Dialect,
    Outcome,
    Provider,
    ProviderId,
    ProviderState,
    UpstreamOrder,
)

KEY = 'k3y-of-0urs/with+signs&"quotes"'
ORDER = UpstreamOrder(
    service="5", request_id="req-1", parameters={"link": "https://x.example/a", "quantity": "100"}
)
CLASSIC = Dialect()
FIELDS = {"key": "secret", "action": "add"}
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"order":"1"}'
Question = Callable[[Connector], Coroutine[Any, Any, Any]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Upstream:
    """A server that answers every request alike and remembers what it was sent."""

    url: str = ""
    forms: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)


def client(
    *, policy: AddressPolicy = ANYWHERE, connect: float = 1.0, total: float = 2.0, **more: Any
) -> HttpClient:
    return HttpClient(policy=policy, connect_seconds=connect, total_seconds=total, **more)


def provider(url: str, *, dialect: Dialect | None = None, key: str = KEY) -> Provider:
    return Provider(
        id=ProviderId(1),
        name="Upstream",
        url=url,
        key=key,
        dialect=dialect or Dialect(),
        state=ProviderState.ACTIVE,
        currency="USD",
        max_in_flight=8,
        per_second=20,
    )


@asynccontextmanager
async def answering(
    body: bytes | str, *, status: int = 200, headers: dict[str, str] | None = None, path: str = "/api/v2"
) -> AsyncIterator[Upstream]:
    """A server that gives one and the same answer to everything."""
    upstream = Upstream()
    payload = body if isinstance(body, bytes) else body.encode()

    async def handle(request: web.Request) -> web.Response:
        form = parse_qs((await request.read()).decode(), keep_blank_values=True)
        upstream.forms.append({name: values[-1] for name, values in form.items()})
        upstream.headers.append(dict(request.headers))
        upstream.connections.add(request.transport)
        return web.Response(
            body=payload, status=status, headers=headers or {"Content-Type": "application/json"}
        )

    application = web.Application()
    application.router.add_route("*", "/{anything:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    upstream.url = f"http://127.0.0.1:{port}{path}"
    try:
        yield upstream
    finally:
        await runner.cleanup()


@asynccontextmanager
async def talking(
    talk: Talk, *, tls: SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Upstream]:
    """A server that does with each connection whatever the test says; its connections are counted."""
    upstream = Upstream()
    tasks: set[asyncio.Task[Any]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connections.add(writer)
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(ConnectionError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, host, 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    upstream.url = f"{'https' if tls else 'http'}://{host}:{port}/"
    try:
        yield upstream
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def request_of(reader: asyncio.StreamReader) -> bytes:
    """Read one whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    return head + await reader.readexactly(length)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset instead of a goodbye."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def refusing_port() -> Iterator[str]:
    """A URL where nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/"


@contextmanager
def black_hole() -> Iterator[str]:
    """A URL whose connections never come about: a listener with a full backlog that nobody empties."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            filler = opened.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def ask(question: Question, body: bytes | str, *, dialect: Dialect = CLASSIC, **more: Any) -> Any:
    async def call() -> Any:
        async with answering(body, **more) as upstream, client() as http:
            return await question(connect(provider(upstream.url, dialect=dialect), http))

    return asyncio.run(call())


def ask_at(url: str, question: Question, **more: Any) -> Any:
    async def call() -> Any:
        async with client(**more) as http:
            return await question(connect(provider(url), http))

    return asyncio.run(call())


async def adding(connector: Connector) -> Outcome:
    return await connector.add(ORDER)


class Names(AbstractResolver):
    """Answers each lookup with the next list of addresses; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in addresses
        ]

    async def close(self) -> None:
        pass
