"""A server that costs as little as one in Python can: what a benchmark's calls go to, in a process of its own."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import Callable
from typing import Any, Final, cast

import uvloop

from panelry.ops import running

Answer = Callable[[bytes, bytes], bytes]
"""Takes the head and the body of a request, returns the whole answer."""
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


def serve(answer: Answer, summary: Callable[[], dict[str, Any]]) -> None:
    """Answer on a free port of 127.0.0.1, which the first line on stdout names, until told to end; then sum up."""
    running.hold_lifeline()
    uvloop.run(_serve(answer, summary))


async def _serve(answer: Answer, summary: Callable[[], dict[str, Any]]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: _Connection(answer), "127.0.0.1", 0, backlog=1024)
    _say({"port": server.sockets[0].getsockname()[1]})
    await stop.wait()
    server.close()
    _say(summary())


class _Connection(asyncio.Protocol):
    """Speaks as much HTTP/1.1 as our client does: requests with a length, one after the other."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[: end + 2]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            self._transport.write(self._answer(head, body))


def _say(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
