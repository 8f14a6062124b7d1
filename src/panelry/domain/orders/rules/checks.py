"""When a provider is asked about an order again."""

from datetime import datetime, timedelta
from typing import Final

from panelry.domain.orders.values import Order

_YOUNG: Final = timedelta(seconds=60)
_LONGEST: Final = timedelta(minutes=30)
_LONGEST_WAIT: Final = timedelta(minutes=10)
_URGENT: Final = timedelta(minutes=1)
_AFTER_END: Final = timedelta(seconds=5)
_DAY: Final = timedelta(days=1)
_WATCHED: Final = timedelta(days=7)
_LOST_AFTER: Final = timedelta(hours=1)
LOOKS: Final = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
"""How long after it became unknown a submission is looked for at its provider."""
_SOON: Final = timedelta(minutes=5)
_LOOKED_FOR: Final = timedelta(hours=6)


def next_check(order: Order, *, sent_at: datetime, now: datetime, is_over: bool) -> timedelta | None:
    """Return how long to wait before asking about an order again, which `is_over` or is not.

    Under way: 1 s at first, 2 s in the first minute, then up to 30 min, and at most a minute while a cancel is asked
    for. Finished orders are watched for corrections at ever longer waits for a week, then `None`.
    """
    if is_over:
        since = now - (order.finished_at or now)
        return None if since > _WATCHED else min(max(since / 2, _AFTER_END), _DAY)
    return wait_at(now - sent_at, longest=_URGENT if order.cancel_requested else _LONGEST)


def wait_at(age: timedelta, *, longest: timedelta = _LONGEST) -> timedelta:
    """Return how long to wait before asking again about what is this old and under way."""
    if age < timedelta(seconds=1):
        return timedelta(seconds=1)
    return timedelta(seconds=2) if age < _YOUNG else min(age / 20, longest)


def backoff(attempt: int, *, first: timedelta, longest: timedelta = _LONGEST_WAIT) -> timedelta:
    """Return the wait before try `attempt + 2`: doubling from `first`, at most `longest`."""
    return min(first * (1 << min(attempt, 12)), longest)


def next_look(unknown_at: datetime, looks: int, now: datetime) -> datetime | None:
    """Return when to look again for a submission after so many looks; `None` when that was the last one."""
    return max(unknown_at + LOOKS[looks], now + timedelta(seconds=1)) if looks < len(LOOKS) else None


def look_again(unknown_at: datetime, now: datetime) -> datetime | None:
    """Return when to repeat a look that could show nothing; `None` when that has gone on for long enough."""
    age = now - unknown_at
    return None if age > _LOOKED_FOR else now + min(max(age / 2, LOOKS[0]), _SOON)


def is_lost(attempt: int, *, first: timedelta) -> bool:
    """Tell whether so many tries in a row without an answer, at least three, took more than an hour."""
    waits = (backoff(number, first=first) for number in range(attempt))
    return attempt >= 3 and sum(waits, timedelta()) > _LOST_AFTER
