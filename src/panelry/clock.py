"""The only place that asks what time it is.

Times that decide about money or leases are the database's (`clock_now()` in SQL); this clock serves ids, logs and
waiting.
"""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 (this is the one place)


def unix_milliseconds() -> int:
    """Return milliseconds since 1970, for time-ordered ids."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Return seconds on a clock that never jumps, for measuring waits."""
    return time.monotonic()
