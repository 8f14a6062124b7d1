"""The sandbox provider as tests use it: a process of its own on a free port or many in a thread, and a client of it."""

import asyncio
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from panelry.connectors.sandbox import SandboxOptions, serve


@dataclass(kw_only=True)
class Upstream:
    url: str
    log: Path
    process: subprocess.Popen[str] | None = None
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**6)))

    def raw(self, body: str | bytes, *, path: str = "/api/v2", type_: str | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=5)
        try:
            connection.request(
                "POST", path, body, {"Content-Type": type_ or "application/x-www-form-urlencoded"}
            )
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def asking(self, body: str, *, timeout: float) -> socket.socket:
        """Send a call and leave reading the answer, if there is one, to the caller."""
        client = socket.create_connection(("127.0.0.1", urlsplit(self.url).port or 0), timeout=timeout)
        head = f"POST /api/v2 HTTP/1.1\r\nHost: sandbox\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall((head + body).encode())
        return client

    def status_and_json(self, action: str, **fields: object) -> tuple[int, Any]:
        status, body = self.raw(urlencode({"key": "secret", "action": action, **fields}))
        return status, json.loads(body)

    def call(self, action: str, **fields: object) -> Any:
        return self.status_and_json(action, **fields)[1]

    def new_link(self, fault: str = "") -> str:
        link = f"https://example.com/post/{next(self.numbers)}"
        return f"{link}?sandbox={fault}" if fault else link

    def add(self, service: int, *, fault: str = "", quantity: int = 100) -> Any:
        return self.call("add", service=service, link=self.new_link(fault), quantity=quantity)["order"]

    def word(self, order: object) -> str:
        return str(self.call("status", order=order)["status"])

    def has_dropped(self, order: object) -> bool:
        """Say whether an order that was complete lost a part; on its way there it passes the same number."""
        said = self.call("status", order=order)
        return (said["status"], said["remains"]) == ("Completed", "20")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def faults(self, **wishes: object) -> tuple[int, bytes]:
        return self.raw(json.dumps(wishes), path="/sandbox/faults", type_="application/json")


@contextmanager
def running(log: Path, *, speed: float = 1, dialect: str = "classic") -> Iterator[Upstream]:
    command = [sys.executable, "-m", "panelry.connectors.sandbox", "--listen", "127.0.0.1:0", "--json"]
    options = ["--log", str(log), "--key", "secret", "--speed", str(speed), "--dialect", dialect]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Upstream(url=json.loads(process.stdout.readline())["url"], log=log, process=process)
        finally:
            process.kill()


@contextmanager
def street() -> Iterator[Callable[..., Upstream]]:
    """Yield what opens sandbox providers that take any key, in one thread: a hundred of them open in a second."""
    loop = asyncio.new_event_loop()
    serving = []  # a loop does not keep its tasks alive

    def open_one(log: Path, *, speed: float = 1, dialect: str = "classic") -> Upstream:
        address = Future[str]()
        options = SandboxOptions(host="127.0.0.1", port=0, log=log, key=None, speed=speed, dialect=dialect)
        serving.append(asyncio.run_coroutine_threadsafe(serve(options, ready=address.set_result), loop))
        return Upstream(url=address.result(30), log=log)

    async def close_all() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield open_one
    finally:
        asyncio.run_coroutine_threadsafe(close_all(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def until(holds: Callable[[], bool], *, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
