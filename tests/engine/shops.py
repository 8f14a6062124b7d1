"""An upstream panel inside the test's own loop, which sees how it is called; and desks that work on it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from connectors.upstreams import client
from given import VAULT, Given
from panelry import clock
from panelry.database.pool import Pool
from panelry.domain.providers import Accepted, ProviderId
from panelry.engine.desk import Desk
from panelry.settings import Settings

Form = dict[str, str]


@dataclass
class Shop:
    """Takes every order after `seconds`; what it does otherwise a test says in `answer`."""

    url: str = ""
    seconds: float = 0.0
    answer: dict[str, Any] = field(default_factory=dict)
    calls: list[Form] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    resume: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, action: str) -> list[Form]:
        return [call for call in self.calls if call["action"] == action]

    async def handle(self, request: web.Request) -> web.Response:
        form = dict(parse_qsl((await request.read()).decode()))
        self.calls.append(form)
        number = len(self.calls)
        if form["action"] == "add":
            self.starts.append(time.monotonic())
            self.at_once += 1
            self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await asyncio.sleep(self.seconds)
            if self.answer.get(form["action"]) == "wait":
                await self.resume.wait()
            return web.json_response(self._said(form, number))
        finally:
            self.at_once -= form["action"] == "add"

    def _said(self, form: Form, number: int) -> Any:
        said = self.answer.get(form["action"])
        if said is not None and said != "wait":
            return said
        match form["action"]:
            case "add":
                return {"order": number}
            case "status":
                done = {"status": "Completed", "remains": "0", "start_count": "1", "charge": "0.1"}
                return dict.fromkeys(form["orders"].split(","), done)
            case "balance":
                return {"balance": "12.50", "currency": "USD"}
            case _:
                return [{"service": 1, "name": "A", "type": "Default", "rate": "1", "min": 1, "max": 9}]


@asynccontextmanager
async def shop(**how: Any) -> AsyncIterator[Shop]:
    one = Shop(**how)
    application = web.Application()
    application.router.add_post("/api/v2", one.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v2"
    try:
        yield one
    finally:
        one.resume.set()
        await runner.cleanup()


@asynccontextmanager
async def desk(pool: Pool, settings: Settings, *, total: float = 5.0) -> AsyncIterator[Desk]:
    async with client(total=total) as http:
        one = Desk(pool=pool, settings=settings, vault=VAULT, http=http)
        try:
            yield one
        finally:
            one.close()


def orders_at(pool: Pool, url: str, count: int) -> ProviderId:
    """Sell so many orders of a new provider at `url`."""
    with pool.transaction() as conn:
        given = Given(conn)
        provider = given.provider(url=url)
        service = given.service(provider)
        customer = given.customer("1000")
        for _ in range(count):
            given.placed(customer, service)
    return provider


def accepted_at(pool: Pool, url: str, count: int) -> ProviderId:
    """Sell so many orders and have the provider take them, due to be asked about at once."""
    provider = orders_at(pool, url, count)
    with pool.transaction() as conn:
        given = Given(conn)
        for _ in range(count):
            [attempt] = given.attempts(provider, most=1)
            given.answered(attempt, Accepted(upstream_id=attempt.submission_id.hex))
        conn.execute("UPDATE submissions SET due_at = clock_now()")
    return provider


def rows(pool: Pool, sql: str, *parameters: object) -> list[Any]:
    with pool.transaction() as conn:
        return conn.execute(sql, parameters).fetchall()


def states(pool: Pool) -> dict[str, int]:
    return dict(rows(pool, "SELECT state, count(*) FROM submissions GROUP BY state"))


async def until(holds: Callable[[], object], *, seconds: float = 30) -> None:
    deadline = clock.monotonic() + seconds
    while not await asyncio.to_thread(holds):
        assert clock.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)
