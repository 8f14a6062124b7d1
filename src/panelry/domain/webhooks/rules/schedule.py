"""When a delivery is tried again, and when its endpoint is given up (api-v2.md, 7)."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from panelry.domain.webhooks.values import DeliveryState, Reason, Result, Standing, Verdict

WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""How long to wait after each attempt that failed; after one more the delivery is exhausted."""
SPREAD: Final = 0.1
LONGEST_ASKED: Final = timedelta(days=1)
PATIENCE: Final = timedelta(days=5)
GONE: Final = 410


def after_attempt(attempt: int, result: Result, *, at: datetime, jitter: float) -> Verdict:
    """Decide what becomes of a delivery after the `attempt`-th attempt of its schedule, counted from 1.

    `jitter` from -1 to 1 says where in the ±10 % it is due again, so that not all come back at once.
    """
    assert attempt > 0
    assert -1 <= jitter <= 1
    if result.is_success:
        return Verdict(to=DeliveryState.DELIVERED)
    if attempt > len(WAITS):
        return Verdict(to=DeliveryState.EXHAUSTED)
    wait = WAITS[attempt - 1] * (1 + SPREAD * jitter)
    return Verdict(to=DeliveryState.WAITING, due_at=at + max(wait, asked_wait(result.retry_after, at=at)))


def asked_wait(retry_after: str | None, *, at: datetime) -> timedelta:
    """Read `Retry-After`, seconds or a date; at most a day, and nothing where it says nothing that can be followed."""
    text = (retry_after or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return min(timedelta(seconds=int(text)), LONGEST_ASKED)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year may have any number of digits
        return timedelta(0)
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - at, timedelta(0)), LONGEST_ASKED)


def after_result(standing: Standing, result: Result, *, at: datetime) -> Standing:
    """Say how an endpoint stands after one more attempt, which was made at `at`."""
    tried = replace(standing, last_attempt_at=at, last_result=str(result))
    if result.is_success:
        return replace(tried, failing_since=None, last_success_at=at)
    return replace(tried, failing_since=standing.failing_since or at)


def disabled_for(standing: Standing, result: Result, *, at: datetime) -> Reason | None:
    """Say for which reason an endpoint is disabled after an attempt with this result; `None`: it is not."""
    if result.status == GONE:
        return Reason.GONE
    if standing.failing_since is not None and at - standing.failing_since >= PATIENCE:
        return Reason.FAILING
    return None
