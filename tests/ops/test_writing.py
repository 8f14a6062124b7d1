"""Answers over real connections: whole, in their order, in as few pieces as may be, and never too much at once."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import servers
from panelry.ops import running
from panelry.ops.writing import MOST_BYTES, Together


class Pipe:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.said: list[bytes | str] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:
        self.said.append(data)

    def close(self) -> None:
        self.is_closed = True
        self.said.append("closed")

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str) -> str:
        return f"the {name}"


def test_what_is_written_in_one_round_of_the_loop_goes_out_together() -> None:
    async def scene() -> None:
        pipe = Pipe()
        transport: Any = Together(pipe, asyncio.get_running_loop())  # type: ignore[arg-type]
        transport.write(b"head")
        transport.write(b"body")
        assert pipe.said == []
        await asyncio.sleep(0)
        assert pipe.said == [b"headbody"]
        transport.write(b"x" * MOST_BYTES)
        transport.write(b"y")
        assert pipe.said[1:] == [b"x" * MOST_BYTES + b"y"], "what is large waits for nothing"
        transport.write(b"last")
        transport.close()
        assert pipe.said[2:] == [b"last", "closed"]
        transport.write(b"too late")
        await asyncio.sleep(0)
        assert pipe.said[4:] == []
        assert transport.get_extra_info("peer") == "the peer"

    asyncio.run(scene())


@contextmanager
def serving(application: Any) -> Iterator[int]:
    port = servers.free_port()
    server = running.server(application, host="127.0.0.1", port=port)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join(30)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    body = (await receive())["body"]
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def request(body: bytes, *headers: bytes) -> bytes:
    lines = [b"POST / HTTP/1.1", b"host: x", b"content-length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


def test_requests_sent_one_after_the_other_are_answered_whole_and_in_their_order() -> None:
    bodies = [b"%d" % number * 50 for number in range(20)]
    with serving(echo) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"".join(map(request, bodies[:-1])) + request(bodies[-1], b"connection: close"))
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    answers = said.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert [answer.partition(b"\r\n\r\n")[2] for answer in answers] == bodies


def test_whoever_writes_more_than_is_read_has_to_wait() -> None:
    sent = 0

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while sent < 1_000:
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            sent += 1

    with serving(endless) as port, socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request(b""))
        connection.recv(1)
        before = -1
        while sent != before:
            before = sent
            time.sleep(0.3)
        assert 0 < sent < 500
