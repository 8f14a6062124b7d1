"""Waiting for the clock, for tests of limits that begin anew with every minute."""

import time


def with_left(seconds: float) -> None:
    """Wait for a minute of which so much is left."""
    left = 60 - time.time() % 60  # noqa: TID251 (the tests watch the clock that is watched)
    if left < seconds:
        time.sleep(left + 0.05)
