"""Asks providers how accepted orders are doing: one call for up to a hundred of them, several calls where many wait."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import psycopg
import structlog

from panelry import clock
from panelry.domain import orders
from panelry.domain.orders import Answers, Tracked
from panelry.domain.providers import Provider, ProviderId
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.engine.calls import Calls
from panelry.engine.desk import Desk
from panelry.engine.gates import Gate

log = structlog.get_logger()
PAGE: Final = 100
MOST: Final = 32
"""Pages of one provider that one engine has in hand at once, asked for or waiting to be applied."""
LATE: Final = timedelta(seconds=5)
"""How long after its due time a row may be committed without being overlooked until the next start from the beginning."""
START_AGAIN_SECONDS: Final = 5.0


class Tracking:
    """One engine's following of orders; a provider that is slow to answer keeps no other one waiting."""

    def __init__(self, desk: Desk) -> None:
        """Ask from one desk."""
        self._desk = desk
        self._calls = Calls("tracking", most=MOST)
        self._gates: defaultdict[ProviderId, Gate] = defaultdict(Gate)
        self._behind: set[ProviderId] = set()
        self._since: dict[ProviderId, datetime] = {}
        self._look_at = self._start_again_at = 0.0
        self._answered: list[Answers] = []
        self._applying = asyncio.Lock()
        self.drain = self._calls.drain

    async def follow(self) -> int:
        """Ask providers about what is due there; return about how many orders.

        While there is more to ask than calls may be made, it waits for the next one that is back.
        """
        due = self._behind | await self._look()
        asked = sum([await self._claim(p) for p in await self._desk.providers() if p.id in due])
        if asked == 0 and self._behind and await self._calls.wait(self._desk.settings.poll_seconds):
            return len(self._behind)
        return asked

    async def _look(self) -> frozenset[ProviderId]:
        """Look for something due, where much waits no more often than an idle engine; what was claimed is stepped over."""
        now = clock.monotonic()
        if self._behind and now < self._look_at:
            return frozenset()
        self._look_at = now + self._desk.settings.poll_seconds
        if now >= self._start_again_at:  # for what was out of turn: somebody's lock, a lease that ran out
            self._start_again_at = now + START_AGAIN_SECONDS
            self._since.clear()
        return await self._desk.database(partial(orders.to_follow, since=dict(self._since)))

    async def _claim(self, provider: Provider) -> int:
        """Claim as many pages as may be asked for now; beside calls that are under way only where full pages wait."""
        room = self._calls.room(provider.id)
        if room < (MOST // 2 if provider.id in self._behind else MOST):
            return 0
        gate = self._gates[provider.id]
        most = gate.reserve(_half(provider), most=room)
        if most == 0:
            return 0
        pages: list[Sequence[Tracked]] = []
        try:
            since = self._since.get(provider.id)
            claim = partial(orders.claim_tracking, most=most * PAGE, lease=self._desk.lease, since=since)
            due = await self._desk.database(lambda conn: claim(conn, provider.id))
            pages = [due[start : start + PAGE] for start in range(0, len(due), PAGE)]
        finally:
            gate.give_back(most - len(pages))
        for page in pages:
            gate.start()
            self._calls.start(provider.id, self._follow(provider, page, gate))
        self._remember(provider.id, due, is_full=len(due) == most * PAGE)
        return len(due)

    def _remember(self, provider_id: ProviderId, due: Sequence[Tracked], *, is_full: bool) -> None:
        """Begin the next look where this claim ended: the index is full of what came before."""
        if due:
            ended = max(tracked.known.due_at for tracked in due if tracked.known)
            self._since[provider_id] = ended if is_full else ended - LATE
        if is_full:
            self._behind.add(provider_id)
        else:
            self._behind.discard(provider_id)

    async def _follow(self, provider: Provider, page: Sequence[Tracked], gate: Gate) -> None:
        try:
            said = await self._desk.connector(provider).statuses([tracked.upstream_id for tracked in page])
        except (TemporaryFailure, PermanentFailure) as failure:
            log.warning("statuses_failed", provider=provider.name, error=str(failure))
            said = {}
        finally:
            gate.end(failed=False)
        await self._apply({tracked: said.get(tracked.upstream_id) for tracked in page})

    async def _apply(self, answers: Answers) -> None:
        """Apply one page together with all that came back while the last ones were in the database."""
        self._answered.append(answers)
        async with self._applying:
            pages, self._answered = self._answered, []
            if pages:
                await self._apply_together(pages)

    async def _apply_together(self, pages: Sequence[Answers]) -> None:
        """Apply pages as one set; where that fails, each by itself, so that one keeps no other back."""
        try:
            await self._apply_set(pages)
        except psycopg.OperationalError:
            raise
        except Exception:
            log.exception("statuses_not_applied", pages=len(pages))
            for page in pages if len(pages) > 1 else ():
                await self._apply_together([page])

    async def _apply_set(self, pages: Sequence[Answers]) -> None:
        answers = {tracked: answer for page in pages for tracked, answer in page.items()}
        began = clock.monotonic()
        left = await self._desk.database(partial(orders.ask_later, answers=answers))
        changed = await self._desk.database(partial(orders.apply_reports, answers=left)) if left else 0
        count = sum(answer is not None for answer in answers.values())
        seconds = clock.monotonic() - began
        log.debug("statuses_applied", pages=len(pages), count=count, changed=changed, seconds=seconds)


def _half(provider: Provider) -> Provider:
    """Leave the greater part of a provider's limits to what is sent there."""
    return replace(
        provider,
        max_in_flight=max(provider.max_in_flight // 2, 1),
        per_second=max(provider.per_second // 2, 1),
    )
