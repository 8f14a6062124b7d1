"""Sends customers' endpoints what happened (api-v2.md, 7), each attempt beside the loop, so that a slow one delays nobody."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from panelry import clock
from panelry.connectors import addresses
from panelry.connectors.http import Ambiguous, HttpClient, NotRead
from panelry.connectors.names import resolving
from panelry.database.pool import Conn
from panelry.domain import ids, webhooks
from panelry.domain.webhooks import Claimed, Result
from panelry.engine import calls
from panelry.engine.desk import Desk
from panelry.settings import Settings

log = structlog.get_logger()
PLACES: Final = 128
"""Attempts that one engine has under way; endpoints that failed last, or never took anything yet, get half of them."""
CONNECT_SECONDS: Final = 5.0
SPARE_SECONDS: Final = 15.0
"""How much longer a lease is than an attempt."""

Claim = Callable[[Conn], list[Claimed]]


@asynccontextmanager
async def client(settings: Settings) -> AsyncIterator[HttpClient]:
    """Lend what calls endpoints: by rules, a resolver and connections of its own."""
    async with (
        resolving() as resolver,
        HttpClient(
            policy=addresses.for_webhooks(settings),
            connect_seconds=CONNECT_SECONDS,
            total_seconds=settings.webhook_total_seconds,
            resolver=resolver,
        ) as http,
    ):
        yield http


class Deliveries:
    """One engine's deliveries. What it cannot record is due again when its lease ends: at least once, never less."""

    def __init__(self, desk: Desk, http: HttpClient) -> None:
        """Deliver from one desk."""
        self._desk = desk
        self._http = http
        self._calls: dict[asyncio.Task[None], Claimed] = {}
        self._results: dict[Claimed, Result] = {}

    async def deliver(self) -> int:
        """Record what has come back and start what is due, then wait for the next to come back; return what there was."""
        results = dict(self._results)
        turn = partial(_turn, results=results, claim=self._claim())
        claimed_at = clock.monotonic()
        claimed = await self._desk.database(turn)
        if results:
            log.debug("deliveries_recorded", count=len(results), seconds=clock.monotonic() - claimed_at)
        for one in results:
            del self._results[one]
        for one in claimed:
            task = asyncio.create_task(self._make(one, claimed_at))
            self._calls[task] = one
            task.add_done_callback(self._calls.pop)
        under_way = len(self._calls)
        if under_way:  # until one of them is back there is room for what happens meanwhile only
            idle = self._desk.settings.poll_seconds
            await asyncio.wait(self._calls, timeout=idle, return_when=asyncio.FIRST_COMPLETED)
        return len(results) + under_way

    async def drain(self, seconds: float) -> None:
        """Give attempts some seconds to end, cut off the others, and record what came back."""
        await calls.end(list(self._calls), seconds)
        results = dict(self._results)
        try:
            await self._desk.database(partial(webhooks.record, results=results))
        except Exception:
            log.exception("deliveries_not_recorded", count=len(results))

    def _claim(self) -> Claim:
        """Return what claims as much as there is room for, once the results at hand are recorded."""
        held = self._calls.values()
        return partial(
            webhooks.claim,
            vault=self._desk.vault,
            most=PLACES - len(held),
            doubtful=max(PLACES // 2 - sum(claimed.is_doubtful for claimed in held), 0),
            lease=timedelta(seconds=self._desk.settings.webhook_total_seconds + SPARE_SECONDS),
        )

    async def _make(self, claimed: Claimed, claimed_at: float) -> None:
        began = clock.monotonic()
        if began - claimed_at > SPARE_SECONDS:
            log.warning("delivery_too_late", webhook=ids.show(ids.WEBHOOK, claimed.webhook_id))
            return  # this machine was too slow: the lease could end during the call, and another engine begin
        result = await self._sent(claimed)
        took = round((clock.monotonic() - began) * 1000)
        self._results[claimed] = replace(result, took_milliseconds=took)

    async def _sent(self, claimed: Claimed) -> Result:
        if not claimed.secrets:
            return Result(error="the panel cannot open the endpoint's secret")
        try:
            body = webhooks.body(claimed.told, currency=self._desk.settings.currency)
            shown = ids.show(ids.EVENT, claimed.told.event_id)
            signed = webhooks.signed_headers(shown, body, secrets=claimed.secrets, at=clock.now())
            headers = {"Content-Type": "application/json", **signed}
            answer = await self._http.post(
                claimed.url, body, headers, limit=webhooks.RESPONSE_LIMIT, cut=True
            )
        except (NotRead, Ambiguous) as failure:
            return Result(error=str(failure))
        except Exception as error:
            log.exception("delivery_failed", webhook=ids.show(ids.WEBHOOK, claimed.webhook_id))
            return Result(error=f"a fault of the panel: {type(error).__name__}")
        return Result(status=answer.status, response=answer.body, retry_after=answer.retry_after)


def _turn(conn: Conn, results: Mapping[Claimed, Result], claim: Claim) -> list[Claimed]:
    """Record and claim in one transaction: the room that results leave is taken at once."""
    webhooks.record(conn, results)
    return claim(conn)
