"""Sends waiting orders to their providers, each at most once (money-and-lifecycle.md, 5)."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from panelry import clock
from panelry.domain import orders
from panelry.domain.orders import Attempt
from panelry.domain.providers import NotSent, Outcome, Provider, ProviderId, Unknown, UpstreamOrder
from panelry.engine.desk import Desk

log = structlog.get_logger()
LAST_MOMENT: Final = 2.0
"""Seconds that must be left of a lease for a whole call and its record."""
RECORD_TRIES: Final = 5


class Submission:
    """One engine's sending. Calls in flight outlive the claiming loop by up to the grace period of `drain`."""

    def __init__(self, desk: Desk) -> None:
        """Send from one desk."""
        self._desk = desk
        self._calls: dict[asyncio.Task[None], Attempt] = {}
        self._paces: dict[ProviderId, Pace] = {}

    async def send_waiting(self) -> int:
        """Claim what waits for each open provider and start its calls; return how many."""
        return sum(
            [await self._claim(p, orders.claim_submissions) for p in await self._desk.open_providers()]
        )

    async def ask_again(self) -> int:
        """Repeat lost calls to providers that recognise our request ids: their answer is the truth."""
        return sum(
            [
                await self._claim(provider, orders.claim_resends)
                for provider in await self._desk.open_providers()
                if provider.dialect.supports_request_id
            ]
        )

    async def abandon(self) -> int:
        """Call unknown what workers were sending that did not come back."""
        resendable = await self._desk.resendable()
        return await self._desk.database(lambda conn: orders.abandon_expired(conn, resendable=resendable))

    async def drain(self, seconds: float) -> None:
        """Give calls in flight some seconds; what is left then is unknown."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=seconds)
        left = dict(self._calls)
        for call in left:
            call.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        stopped = Unknown(text="the program was stopped while the call was under way")
        for attempt in left.values():
            await self._record(attempt, stopped)

    async def _claim(self, provider: Provider, claim: Callable[..., Sequence[Attempt]]) -> int:
        pace = self._paces.setdefault(provider.id, Pace(provider.per_second))
        most = pace.allowed(provider.per_second)
        if most == 0:
            return 0
        claimed_at = clock.monotonic()
        lease = self._desk.lease
        attempts = await self._desk.database(lambda conn: claim(conn, provider.id, most=most, lease=lease))
        pace.spend(len(attempts))
        for attempt in attempts:
            call = asyncio.create_task(self._send(provider, attempt, claimed_at))
            self._calls[call] = attempt
            call.add_done_callback(self._calls.pop)
        return len(attempts)

    async def _send(self, provider: Provider, attempt: Attempt, claimed_at: float) -> None:
        settings = self._desk.settings
        left = claimed_at + settings.lease_seconds - clock.monotonic()
        outcome: Outcome
        if left < settings.provider_total_seconds + LAST_MOMENT:
            outcome = NotSent(text="this machine was too slow: the lease would have ended during the call")
        else:
            order = UpstreamOrder(
                service=attempt.provider_service, request_id=attempt.request_id, parameters=attempt.parameters
            )
            try:
                outcome = await self._desk.connector(provider).add(order)
            except Exception as error:
                log.exception("connector_failed", provider=provider.name)
                outcome = Unknown(text=f"our connector failed: {type(error).__name__}")
        await self._record(attempt, outcome)

    async def _record(self, attempt: Attempt, outcome: Outcome) -> None:
        """Write down what became of a call; if that cannot be done, the lease ends and the call is unknown."""
        key = (attempt.account_id, attempt.submission_id)
        for number in range(RECORD_TRIES):
            try:
                resendable = await self._desk.resendable()
                record = partial(orders.record_outcomes, outcomes={key: outcome}, resendable=resendable)
                await self._desk.database(record)
            except Exception:
                log.exception(
                    "outcome_not_recorded", submission=attempt.request_id, outcome=type(outcome).__name__
                )
                await asyncio.sleep(0.2 * 2**number)
            else:
                return


class Pace:
    """How many calls may start now so that there are never more than so many in a second."""

    def __init__(self, per_second: int) -> None:
        """Begin with a full second's worth."""
        self._left = float(per_second)
        self._at = clock.monotonic()

    def allowed(self, per_second: int) -> int:
        """Return how many calls may start at this moment."""
        now = clock.monotonic()
        self._left = min(self._left + (now - self._at) * per_second, float(per_second))
        self._at = now
        return int(self._left)

    def spend(self, calls: int) -> None:
        """Count calls that were started."""
        self._left -= calls
