"""Asks providers how accepted orders are doing: one call for up to a hundred of them."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from panelry import clock
from panelry.domain import orders
from panelry.domain.orders import Tracked
from panelry.domain.providers import Provider
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.engine.calls import Calls
from panelry.engine.desk import Desk

log = structlog.get_logger()
MOST: Final = 100


class Tracking:
    """One engine's following of orders; a provider that is slow to answer keeps no other one waiting."""

    def __init__(self, desk: Desk) -> None:
        """Ask from one desk."""
        self._desk = desk
        self._calls = Calls("tracking")
        self.drain = self._calls.drain

    async def follow(self) -> int:
        """Ask each provider that has answered its last call about what is due there; return about how many orders."""
        waiting = (await self._desk.due()).to_follow
        asked = 0
        for provider in await self._desk.providers():
            if provider.id not in waiting or not self._calls.room(provider.id):
                continue
            claim = partial(orders.claim_tracking, provider_id=provider.id, most=MOST, lease=self._desk.lease)
            due = await self._desk.database(claim)
            if due:
                self._calls.start(provider.id, self._apply(provider, due))
            asked += len(due)
        return asked

    async def _apply(self, provider: Provider, due: Sequence[Tracked]) -> None:
        try:
            said = await self._desk.connector(provider).statuses([tracked.upstream_id for tracked in due])
        except (TemporaryFailure, PermanentFailure) as failure:
            log.warning("statuses_failed", provider=provider.name, error=str(failure))
            said = {}
        answers = {tracked: said.get(tracked.upstream_id) for tracked in due}
        began = clock.monotonic()
        changed = await self._desk.database(lambda conn: orders.apply_reports(conn, answers))
        took = clock.monotonic() - began
        log.debug(
            "statuses_applied",
            provider=provider.name,
            pages=1,
            count=len(said),
            changed=changed,
            seconds=took,
        )
