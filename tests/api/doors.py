"""Two ways to the API: ASGI messages inside this process, and HTTP to a real server. Both are judged by the contract."""

import asyncio
import gzip
import http.client
import json
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import contract
import uvicorn

import servers
from given import VAULT
from panelry.api.app import Api
from panelry.api.limits import Limits
from panelry.asgi import Entrance
from panelry.connectors.addresses import AddressPolicy
from panelry.database.pool import Pool
from panelry.settings import Settings

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
WEBHOOKS: Final = AddressPolicy(schemes=frozenset({"https"}), ports=frozenset({443}))
Fields = Mapping[str, Any] | Sequence[tuple[str, Any]]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; making it judges it."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> bytes:
        return gzip.decompress(self.raw) if self.headers.get("content-encoding") == "gzip" else self.raw

    @property
    def value(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        return self.status, self.value["error"]

    @property
    def order(self) -> str:
        assert self.status == 200, self.value
        order: str = self.value["order"]
        return order


def reply(status: int, headers: Sequence[tuple[str, str]], raw: bytes, *, bodiless: bool = False) -> Reply:
    """Make a reply of what came, if it is as documented."""
    names = [name.lower() for name, _ in headers]
    assert len(names) == len(set(names)), "a header stands twice"
    made = Reply(status, {name.lower(): value for name, value in headers}, raw)
    contract.judge(status, made.headers, None if bodiless else made.body)
    return made


def refused(status: int, text: str) -> bytes:
    return json.dumps({"error": text}, separators=(",", ":")).encode()


class Door:
    """The API inside this process, on an event loop that goes on from call to call."""

    def __init__(self, pool: Pool, *, limits: Limits | None = None) -> None:
        self.api = Api(pool, currency="USD", vault=VAULT, webhook_policy=WEBHOOKS, limits=limits)
        self.address: str | None = "192.0.2.1"
        self._runner = asyncio.Runner()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def post(self, fields: Fields = (), **more: Any) -> Reply:
        """Send fields as a form and wait for the answer."""
        return self.run(self.form(fields, **more))

    def send(self, body: bytes, content_type: str | None = FORM, **options: Any) -> Reply:
        """Send a body as it is and wait for the answer."""
        return self.run(self.call(body, content_type, **options))

    async def form(self, fields: Fields = (), **more: Any) -> Reply:
        pairs = [*(fields.items() if isinstance(fields, Mapping) else fields), *more.items()]
        return await self.call(urlencode(pairs).encode())

    async def call(
        self, body: bytes, content_type: str | None = FORM, *, method: str = "POST", query: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:  # fmt: skip
        typed = {} if content_type is None else {"content-type": content_type}
        sent = [
            (name.encode(), value.encode("latin-1")) for name, value in {**typed, **(headers or {})}.items()
        ]
        scope = {
            "type": "http", "method": method, "path": "/api/v2", "query_string": query, "headers": sent,
            "client": self.address and (self.address, 4711),
        }  # fmt: skip
        answer = await self.exchange(scope, [{"type": "http.request", "body": body, "more_body": False}])
        assert answer is not None
        return answer

    async def exchange(self, scope: dict[str, Any], messages: Sequence[Mapping[str, Any]]) -> Reply | None:
        """Speak ASGI; `None` where nothing was answered. After the messages the client has gone."""
        waiting = [dict(message) for message in messages]
        sent: list[Mapping[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0)
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            sent.append(message)

        await self.api(scope, receive, send)
        if not sent:
            return None
        start, body = sent
        headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
        return reply(start["status"], headers, body["body"])

    def close(self) -> None:
        self.api.close()
        self._runner.close()


@dataclass(frozen=True, slots=True)
class Server:
    """A real server; each call has a connection of its own."""

    port: int

    def post(self, fields: Fields = (), **more: Any) -> Reply:
        pairs = [*(fields.items() if isinstance(fields, Mapping) else fields), *more.items()]
        return self.request(urlencode(pairs).encode())

    def request(
        self, body: bytes = b"", content_type: str | None = FORM, *, method: str = "POST", path: str = "/api/v2",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        typed = {} if content_type is None else {"Content-Type": content_type}
        try:
            connection.request(method, path, body, {**typed, **(headers or {})})
            answer = connection.getresponse()
            return reply(answer.status, answer.getheaders(), answer.read(), bodiless=method == "HEAD")
        finally:
            connection.close()

    def get(self, path: str) -> tuple[int, dict[str, str]]:
        """Ask for something that is not the API."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@contextmanager
def serving(settings: Settings, *, with_engine: bool = False) -> Iterator[Server]:
    """Run a server as `panelry serve --only api` does, in a thread."""
    port = servers.free_port()
    config = uvicorn.Config(
        Entrance(settings, part="api", with_engine=with_engine), host="127.0.0.1", port=port, loop="uvloop",
        http="httptools", ws="none", log_config=None, access_log=False, server_header=False, proxy_headers=False,
        backlog=2048, timeout_graceful_shutdown=6,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield Server(port)
    finally:
        server.should_exit = True
        thread.join(15)
