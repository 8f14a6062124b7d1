"""Asks providers to cancel what customers want cancelled; whether they do is told by the orders' statuses."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from panelry.domain import orders
from panelry.domain.orders import CancelCall
from panelry.domain.providers import CancelAnswer, Connector, Provider
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.engine.calls import Calls
from panelry.engine.desk import Desk

log = structlog.get_logger()
MOST: Final = 100


class Cancels:
    """One engine's asking to cancel. A paused provider is asked, too: what is paused are new orders."""

    def __init__(self, desk: Desk) -> None:
        """Ask from one desk."""
        self._desk = desk
        self._calls = Calls("cancels")
        self.drain = self._calls.drain

    async def ask(self) -> int:
        """Ask each provider that has answered its last call about what is due there; return about how many orders."""
        waiting = (await self._desk.due()).to_cancel
        asked = 0
        for provider in await self._desk.providers():
            if provider.id not in waiting or not self._calls.room(provider.id):
                continue
            claim = partial(orders.claim_cancels, provider_id=provider.id, most=MOST, lease=self._desk.lease)
            due = await self._desk.database(claim)
            if due:
                self._calls.start(provider.id, self._ask(provider, due))
            asked += len(due)
        return asked

    async def _ask(self, provider: Provider, due: Sequence[CancelCall]) -> None:
        connector = self._desk.connector(provider)
        # What was asked in vain together is asked one by one: one order may be why the provider refused them all.
        together = [call for call in due if call.attempt == 0]
        for calls in filter(None, (together, *([call] for call in due if call.attempt))):
            said = await _said(connector, provider, calls)
            answers = {call: said.get(call.upstream_id) for call in calls}
            await self._desk.database(partial(orders.record_cancels, answers=answers))


async def _said(
    connector: Connector, provider: Provider, calls: Sequence[CancelCall]
) -> Mapping[str, CancelAnswer]:
    try:
        return await connector.cancel([call.upstream_id for call in calls])
    except (TemporaryFailure, PermanentFailure) as failure:
        log.warning("cancel_not_answered", provider=provider.name, error=str(failure))
        return {}
