"""Asks providers for refills, and how those that they took are doing."""

from functools import partial
from typing import Final, assert_never

import structlog

from panelry.domain import refills
from panelry.domain.providers import Connector, Provider
from panelry.domain.refills import Answer, Claimed, NoAnswer, Question
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.engine.calls import Calls
from panelry.engine.desk import Desk

log = structlog.get_logger()
AT_ONCE: Final = 4
"""Calls about refills that one engine has under way with one provider: each is about one refill."""


class Refills:
    """One engine's refills. A paused provider is asked, too: what is paused are new orders."""

    def __init__(self, desk: Desk) -> None:
        """Ask from one desk."""
        self._desk = desk
        self._calls = Calls("refills", most=AT_ONCE)
        self.drain = self._calls.drain

    async def follow(self) -> int:
        """Ask each provider that has room about what is due there; return about how many refills."""
        due = await self._desk.database(refills.due)
        asked = 0
        for provider in await self._desk.providers():
            room = self._calls.room(provider.id)
            if provider.id not in due or room == 0:
                continue
            claim = partial(refills.claim, provider_id=provider.id, most=room, lease=self._desk.lease)
            claimed = await self._desk.database(claim)
            for one in claimed:
                self._calls.start(provider.id, self._ask(provider, one))
            asked += len(claimed)
        return asked

    async def _ask(self, provider: Provider, claimed: Claimed) -> None:
        try:
            answer = await _answer(self._desk.connector(provider), claimed)
        except (TemporaryFailure, PermanentFailure) as failure:
            log.warning("refill_not_answered", provider=provider.name, error=str(failure))
            answer = NoAnswer(text=str(failure))
        await self._desk.database(partial(refills.record, answers={claimed: answer}))


async def _answer(connector: Connector, claimed: Claimed) -> Answer:
    match claimed.question:
        case Question.REFILL:
            return await connector.refill(claimed.upstream_order)
        case Question.PROGRESS:
            assert claimed.upstream_id is not None
            return await connector.refill_status(claimed.upstream_id)
        case Question.ORDER:
            said = await connector.statuses([claimed.upstream_order])
            return said.get(claimed.upstream_order) or NoAnswer(text="nothing was said about the order")
        case _:
            assert_never(claimed.question)
