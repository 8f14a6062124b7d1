"""Receivers of webhooks on loopback, one for each path, well-behaved and not; they remember all that came."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from connectors.upstreams import request_of, reset

MOST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request, the `nth` with its id; `at` is a monotonic time."""

    path: str
    id: str
    nth: int
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(slots=True)
class Line:
    """What a receiver answers on; `done` ends its part, before the other side can know of it.

    One that `lingers` ends when the other side gives up, which is noticed a little later.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: Heard
    done: Callable[[], None]
    linger: Callable[[], None]

    async def say(self, status: str, body: bytes = b"", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.done()
        self.writer.write("\r\n".join(lines).encode() + body)
        await self.writer.drain()

    async def hang_up(self) -> None:
        self.done()
        raise ConnectionAbortedError


Behaviour = Callable[[Line], Awaitable[None]]


async def takes(line: Line) -> None:
    await asyncio.sleep(0.001)
    await line.say("200 OK", b"thanks")


async def floods(line: Line) -> None:
    await line.say("200 OK", b"x" * 10_000_000)


async def fails(line: Line) -> None:
    await line.say("500 Oh No", b"sorry")


async def redirects(line: Line) -> None:
    await line.say("307 There", b"", "Location: /elsewhere")


async def is_gone(line: Line) -> None:
    await line.say("410 Gone")


async def talks_garbage(line: Line) -> None:
    line.done()
    line.writer.write(b"\x16\x03\x01 220 smtp.example ESMTP\r\n\r\n")
    await line.writer.drain()
    await line.hang_up()


async def resets(line: Line) -> None:
    reset(line.writer)
    await line.hang_up()


async def stalls(line: Line) -> None:
    line.linger()
    await line.reader.read(1)  # until the other side gives up
    await line.hang_up()


async def trickles(line: Line) -> None:
    line.linger()
    line.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    is_there = True
    while is_there:
        line.writer.write(b"x")
        await line.writer.drain()
        with suppress(TimeoutError):
            is_there = bool(await asyncio.wait_for(line.reader.read(1), 0.02))
    await line.hang_up()


def at_first(behaviour: Behaviour, times: int = 1) -> Behaviour:
    """Misbehave the first time that an id comes, and take it the next."""

    async def behave(line: Line) -> None:
        await (behaviour if line.heard.nth <= times else takes)(line)

    return behave


@dataclass(slots=True)
class Receivers:
    """A server with a receiver at each path; nobody behaves at any other."""

    behaviours: Mapping[str, Behaviour]
    port: int = 0
    connections: int = 0
    heard: list[Heard] = field(default_factory=list)
    under_way: Counter[str] = field(default_factory=Counter)
    lingering: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    _times: Counter[tuple[str, str]] = field(default_factory=Counter)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = await request_of(reader)
                await self._behave(self._note(request), reader, writer)
        writer.close()

    def _note(self, request: bytes) -> Heard:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        path, id_ = first.split()[1].removeprefix("/"), headers.get("webhook-id", "")
        self._times[path, id_] += 1
        heard = Heard(
            path=path, id=id_, nth=self._times[path, id_], headers=headers, body=body, at=time.monotonic()
        )
        self.heard.append(heard)
        return heard

    async def _behave(self, heard: Heard, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path, counted = heard.path, [self.under_way]
        self.under_way[path] += 1
        if self.under_way[path] > MOST and self.lingering[path]:
            await asyncio.sleep(0.2)
        self.most[path] = max(self.most[path], self.under_way[path])

        def linger() -> None:
            self.lingering[path] += 1
            counted.append(self.lingering)

        def done() -> None:
            while counted:
                counted.pop()[path] -= 1

        try:
            line = Line(reader=reader, writer=writer, heard=heard, done=done, linger=linger)
            await self.behaviours[path](line)
        finally:
            done()


@contextmanager
def receiving(behaviours: Mapping[str, Behaviour]) -> Iterator[Receivers]:
    """Run receivers in a thread of their own."""
    receivers = Receivers(behaviours)
    started, loop = threading.Event(), asyncio.new_event_loop()

    async def live(stop: asyncio.Event) -> None:
        server = await asyncio.start_server(receivers.serve, "127.0.0.1", 0, limit=2**20)
        receivers.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(live(stop)), name="receivers")
    thread.start()
    try:
        assert started.wait(10)
        yield receivers
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
