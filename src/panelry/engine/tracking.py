"""Asks providers how accepted orders are doing: one call for up to a hundred of them."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from panelry.domain import orders
from panelry.domain.orders import Tracked
from panelry.domain.providers import Provider, ProviderId
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.engine.desk import Desk

log = structlog.get_logger()
MOST: Final = 100


class Tracking:
    """One engine's following of orders; a provider that is slow to answer keeps no other one waiting."""

    def __init__(self, desk: Desk) -> None:
        """Ask from one desk."""
        self._desk = desk
        self._calls: dict[ProviderId, asyncio.Task[None]] = {}

    async def follow(self) -> int:
        """Ask each provider that has answered its last call about what is due there; return about how many orders."""
        lease = self._desk.lease
        waiting = (await self._desk.due()).to_follow - self._calls.keys()
        asked = 0
        for provider in await self._desk.providers():
            if provider.id not in waiting:
                continue
            claim = partial(orders.claim_tracking, provider_id=provider.id, most=MOST, lease=lease)
            due = await self._desk.database(claim)
            if due:
                call = asyncio.create_task(self._apply(provider, due))
                self._calls[provider.id] = call
                call.add_done_callback(partial(self._done, provider.id))
            asked += len(due)
        return asked

    async def drain(self, seconds: float) -> None:
        """Give calls in flight some seconds; what they asked for is due again when the lease ends."""
        calls = list(self._calls.values())
        if calls:
            await asyncio.wait(calls, timeout=max(seconds, 0))
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def _done(self, provider_id: ProviderId, call: asyncio.Task[None]) -> None:
        del self._calls[provider_id]
        if not call.cancelled() and call.exception() is not None:
            log.error("reports_not_applied", exc_info=call.exception())

    async def _apply(self, provider: Provider, due: Sequence[Tracked]) -> None:
        try:
            said = await self._desk.connector(provider).statuses([tracked.upstream_id for tracked in due])
        except (TemporaryFailure, PermanentFailure) as failure:
            log.warning("statuses_failed", provider=provider.name, error=str(failure))
            said = {}
        answers = {tracked: said.get(tracked.upstream_id) for tracked in due}
        await self._desk.database(lambda conn: orders.apply_reports(conn, answers))
