"""Fixed windows of one minute of the clock, in which requests are counted by name (api-v2.md, 3 Rate limits)."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct

from panelry import clock

WINDOW_SECONDS: Final = 60
MOST_ADDRESSES: Final = 200_000


class Layer(StrEnum):
    """What is counted: all requests from an address, all with a key, all of an account with any of its keys."""

    IP = "ip"
    KEY = "key"
    TIER = "tier"


_ADDRESSES: Final = Layer.IP


class Bucket(Struct, frozen=True, kw_only=True, gc=False):
    """Something that is counted, and how many units of it a minute may have; `whom` is an address or an id."""

    layer: Layer
    whom: str
    limit: int

    @property
    def name(self) -> str:
        """What it is called where several processes count together."""
        return f"panelry:{self.layer}:{self.whom}"


class Taken(Struct, frozen=True, kw_only=True, gc=False):
    """What came of asking for units: how many each bucket has left in the present window, and when that ends.

    `denied` is the place of the first bucket without room; then nothing was taken from any of them. `resets_at` is in
    unix seconds.
    """

    left: Sequence[int]
    denied: int | None
    resets_at: int


class Windows(Protocol):
    """Somewhere that requests are counted."""

    def take(self, buckets: Sequence[Bucket], units: int = 1) -> Taken | Awaitable[Taken]:
        """Take units from all buckets where all have room, else from none; 0 units just look."""
        ...


def minute() -> int:
    """Return the number of the present window."""
    return clock.unix_milliseconds() // (WINDOW_SECONDS * 1000)


class OwnWindows:
    """Counts in this process's memory: exact, as long as it is used by one thread.

    Only the present minute is kept, and of that at most `most` addresses: with more, the one first seen is forgotten.
    Keys and tiers are as many as there are customers. Why not the library `limits`: docs/decisions/0015.
    """

    def __init__(
        self,
        *,
        processes: Callable[[], int] = lambda: 1,
        now: Callable[[], int] = minute,
        most: int = MOST_ADDRESSES,
    ) -> None:
        """Give each bucket its limit divided by the number of `processes`, rounded up."""
        self._processes = processes
        self._now = now
        self._most = most
        self._minute = -1
        self._addresses: OrderedDict[str, int] = OrderedDict()
        self._callers: dict[str, int] = {}

    def take(self, buckets: Sequence[Bucket], units: int = 1) -> Taken:
        """Take units from all buckets where all have room, else from none; 0 units just look."""
        self._turn()
        parts = self._processes() or 1
        denied = None
        left: list[int] = []
        for bucket in buckets:
            counts = self._addresses if bucket.layer is _ADDRESSES else self._callers
            room = -(-bucket.limit // parts) - counts.get(bucket.whom, 0) - units
            if room < 0 and denied is None:
                denied = len(left)
            left.append(room)
        if denied is not None:
            left = [max(room + units, 0) for room in left]
        elif units:
            self._add(buckets, units)
        return Taken(left=left, denied=denied, resets_at=(self._minute + 1) * WINDOW_SECONDS)

    def note(self, buckets: Sequence[Bucket], units: int) -> None:
        """Remember what was taken elsewhere on this process's behalf."""
        self._turn()
        self._add(buckets, units)

    def _turn(self) -> None:
        now = self._now()
        if now != self._minute:
            self._minute = now
            self._addresses = OrderedDict()
            self._callers = {}

    def _add(self, buckets: Sequence[Bucket], units: int) -> None:
        for bucket in buckets:
            counts = self._addresses if bucket.layer is _ADDRESSES else self._callers
            counts[bucket.whom] = counts.get(bucket.whom, 0) + units
        if len(self._addresses) > self._most:
            self._addresses.popitem(last=False)
