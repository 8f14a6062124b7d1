"""When a letter is tried again."""

from datetime import timedelta
from typing import Final

WAITS: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=24),
)
"""How long to wait after each attempt that failed; after the last of them the letter is given up."""

LONGEST: Final = timedelta(days=7)
"""How old a letter may become that no mail server took: later it is no news any more."""


def wait_after(attempt: int) -> timedelta | None:
    """Return how long to wait after the `attempt`-th attempt, counted from 1; `None` where it was the last."""
    assert attempt > 0
    return WAITS[attempt - 1] if attempt <= len(WAITS) else None
