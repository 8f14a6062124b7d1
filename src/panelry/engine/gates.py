"""How many calls to a provider may start now: bounded in flight, within any second, and while most of them fail."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from panelry import clock
from panelry.domain.providers import Provider

SECOND: Final = 1.1
"""A second, and what calls that started one after the other may gain on each other on the way."""
BREAKER_SECONDS: Final = 60.0
BREAKER_CALLS: Final = 20


@dataclass(slots=True)
class Gate:
    """One engine's calls of `add` to one provider. Who wants to call reserves first, and says then what it used.

    When half of at least 20 calls within a minute failed, further ones wait until enough of these are a minute old:
    a provider that is down makes a few orders unknown, not all.
    """

    _reserved: int = 0
    _in_flight: int = 0
    _starts: deque[float] = field(default_factory=deque)
    _ends: deque[tuple[float, bool]] = field(default_factory=deque)

    def reserve(self, provider: Provider, *, most: int | None = None) -> int:
        """Return how many calls may be prepared now, at most `most`; `start` or `give_back` must follow for each."""
        now = clock.monotonic()
        while self._starts and now - self._starts[0] >= SECOND:
            self._starts.popleft()
        while self._ends and now - self._ends[0][0] >= BREAKER_SECONDS:
            self._ends.popleft()
        if self.broken_seconds():
            return 0
        in_flight = provider.max_in_flight - self._in_flight - self._reserved
        in_second = provider.per_second - len(self._starts) - self._reserved
        free = max(min(in_flight, in_second, in_flight if most is None else most), 0)
        self._reserved += free
        return free

    def give_back(self, calls: int) -> None:
        """Let others have what was reserved and is not needed."""
        self._reserved -= calls

    def start(self) -> None:
        """Begin one reserved call."""
        self._reserved -= 1
        self._in_flight += 1
        self._starts.append(clock.monotonic())

    def end(self, *, failed: bool) -> None:
        """Count a call that came back, or did not."""
        self._in_flight -= 1
        self._ends.append((clock.monotonic(), failed))

    def broken_seconds(self) -> float:
        """Return for how long no call may start because most of the last ones failed; 0 where they may."""
        failures = sum(failed for _, failed in self._ends)
        if len(self._ends) < BREAKER_CALLS or failures * 2 < len(self._ends):
            return 0.0
        return max(self._ends[0][0] + BREAKER_SECONDS - clock.monotonic(), 0.1)
