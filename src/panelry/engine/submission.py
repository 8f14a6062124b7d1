"""Sends waiting orders to their providers, each at most once (money-and-lifecycle.md, 5)."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from panelry import clock
from panelry.domain import orders, providers
from panelry.domain.accounts import AccountId
from panelry.domain.orders import Attempt, SubmissionId
from panelry.domain.providers import NotSent, Outcome, Provider, ProviderId, Unknown, UpstreamOrder
from panelry.engine.desk import Desk
from panelry.engine.gates import Gate

log = structlog.get_logger()
LAST_MOMENT: Final = 2.0
"""Seconds that must be left of a lease for a whole call and its record."""
LONGEST_WAIT: Final = 5.0
AT_ONCE: Final = 100
"""Outcomes that are recorded in one transaction."""


@dataclass(slots=True, eq=False)
class Call:
    """One call under way; `outcome` is what to record if the program has to stop now."""

    provider: Provider
    attempt: Attempt
    claimed_at: float
    outcome: Outcome

    @property
    def key(self) -> tuple[AccountId, SubmissionId]:
        """Return what its outcome is recorded under."""
        return self.attempt.account_id, self.attempt.submission_id


class Submission:
    """One engine's sending. Calls in flight outlive the claiming loop by up to the grace period of `drain`."""

    def __init__(self, desk: Desk) -> None:
        """Send from one desk."""
        self._desk = desk
        self._calls: dict[asyncio.Task[None], Call] = {}
        self._gates: defaultdict[ProviderId, Gate] = defaultdict(Gate)
        self._unrecorded: list[Call] = []
        self._recording = asyncio.Lock()

    async def send_waiting(self) -> int:
        """Claim what waits for each open provider and start its calls; return how many."""
        due = (await self._desk.due()).to_send
        open_ = [provider for provider in await self._desk.open_providers() if provider.id in due]
        return sum([await self._claim(provider, orders.claim_submissions) for provider in open_])

    async def ask_again(self) -> int:
        """Repeat lost calls to providers that recognise our request ids: their answer is the truth."""
        due = (await self._desk.due()).to_ask & await self._desk.resendable()
        open_ = [provider for provider in await self._desk.open_providers() if provider.id in due]
        return sum([await self._claim(provider, orders.claim_resends) for provider in open_])

    async def abandon(self) -> int:
        """Call unknown what workers were sending that did not come back."""
        resendable = await self._desk.resendable()
        return await self._desk.database(lambda conn: orders.abandon_expired(conn, resendable=resendable))

    async def drain(self, seconds: float) -> None:
        """Give calls in flight some seconds; what is left then is unknown."""
        if self._calls:
            await asyncio.wait(self._calls, timeout=max(seconds, 0))
        left = dict(self._calls)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            log.warning("calls_cut_off", submissions=[call.attempt.request_id for call in left.values()])
            self._unrecorded = list(left.values())
            while self._unrecorded and await self._record_some():
                pass

    async def _claim(self, provider: Provider, claim: Callable[..., Sequence[Attempt]]) -> int:
        gate = self._gates[provider.id]
        most = gate.reserve(provider)
        if most == 0:
            await self._break(provider, gate)
            return 0
        claimed_at = clock.monotonic()
        lease = self._desk.lease
        attempts: Sequence[Attempt] = ()
        try:
            attempts = await self._desk.database(
                lambda conn: claim(conn, provider.id, most=most, lease=lease)
            )
        finally:
            gate.give_back(most - len(attempts))
        for attempt in attempts:
            gate.start()
            unsent = NotSent(text="the program was stopped before it was sent")
            call = Call(provider=provider, attempt=attempt, claimed_at=claimed_at, outcome=unsent)
            task = asyncio.create_task(self._make(call))
            self._calls[task] = call
            task.add_done_callback(partial(self._done, gate))
        return len(attempts)

    async def _break(self, provider: Provider, gate: Gate) -> None:
        """Let everybody know of a provider that is down, so that new and waiting orders take other routes."""
        seconds = gate.broken_seconds()
        if seconds:
            await self._desk.database(lambda conn: providers.mark_broken(conn, provider.id, seconds=seconds))

    def _done(self, gate: Gate, task: asyncio.Task[None]) -> None:
        outcome = self._calls.pop(task).outcome
        gate.end(failed=isinstance(outcome, NotSent | Unknown))

    async def _make(self, call: Call) -> None:
        settings = self._desk.settings
        left = call.claimed_at + settings.lease_seconds - clock.monotonic()
        if left < settings.provider_total_seconds + LAST_MOMENT:
            call.outcome = NotSent(
                text="this machine was too slow: the lease would have ended during the call"
            )
        elif not self._desk.stop.is_set():
            call.outcome = Unknown(text="the program was stopped while the call was under way")
            call.outcome = await self._send(call)
        await self._record_surely(call)

    async def _send(self, call: Call) -> Outcome:
        attempt = call.attempt
        order = UpstreamOrder(
            service=attempt.provider_service, request_id=attempt.request_id, parameters=attempt.parameters
        )
        try:
            return await self._desk.connector(call.provider).add(order)
        except Exception as error:
            log.exception("connector_failed", provider=call.provider.name)
            return Unknown(text=f"our connector failed: {type(error).__name__}")

    async def _record_surely(self, call: Call) -> None:
        """Write down what became of a call, however long the database is away: an id that we lose is lost money.

        What has come back while the last set was in the database is written together.
        """
        wait = 0.1
        self._unrecorded.append(call)
        while call in self._unrecorded:
            async with self._recording:
                is_well = call not in self._unrecorded or await self._record_some()
            if not is_well:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def _record_some(self) -> bool:
        """Record a set of calls, of each submission one; where that fails each by itself, so that none keeps others back."""
        first: dict[tuple[AccountId, SubmissionId], Call] = {}
        for call in self._unrecorded[:AT_ONCE]:
            first.setdefault(call.key, call)
        calls = list(first.values())
        done = {*calls} if await self._record(calls) else {c for c in calls if await self._record([c])}
        self._unrecorded = [call for call in self._unrecorded if call not in done]
        return bool(done)

    async def _record(self, calls: Sequence[Call]) -> bool:
        try:
            record = partial(
                orders.record_outcomes,
                outcomes={call.key: call.outcome for call in calls},
                resendable=await self._desk.resendable(),
                repetitions={call.attempt.submission_id: call.attempt.repetition for call in calls},
            )
            began = clock.monotonic()
            await self._desk.database(record)
            log.debug("submissions_recorded", count=len(calls), seconds=clock.monotonic() - began)
        except Exception:
            log.exception("outcomes_not_recorded", submissions=[call.attempt.request_id for call in calls])
            return False
        return True
