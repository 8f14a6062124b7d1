"""The three limits of a minute, in the order in which they are checked, and the headers that tell of them."""

from collections.abc import Awaitable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network
from operator import itemgetter
from typing import Final

from msgspec import Struct

from panelry import clock, peers
from panelry.api.windows import Bucket, Layer, Taken, Windows
from panelry.contract import RateLimited
from panelry.domain import accounts, ids
from panelry.domain.accounts import Caller, KeyDigest, KeyId

KNOWN_SECONDS: Final = 30.0
MOST_KNOWN: Final = 100_000
OTHER: Final = "other"
"""What goes into metrics and logs where no known action was asked for: never what a caller sent."""

_room: Final = itemgetter(1)
Header = tuple[bytes, bytes]


class Allowance(Struct, frozen=True, kw_only=True, gc=False):
    """What an account may send with one of its keys: the buckets of the key and of the tier; `account` is its id."""

    account: str
    key_id: KeyId
    buckets: Sequence[Bucket]


class Limits:
    """The limits of one API process."""

    def __init__(self, windows: Windows | None, *, ip_per_minute: int) -> None:
        """Count in `windows`; without any nothing is limited."""
        self.windows = windows
        self.ip_per_minute = ip_per_minute
        self._known: dict[KeyDigest, tuple[float, Allowance]] = {}

    def visit(self, address: str | None) -> "Visit":
        """Begin to count one request, from an address or from a unix socket."""
        return Visit(self, address)

    def known(self, digest: KeyDigest) -> Allowance | None:
        """Return the allowance of a key that was used lately, as it was at most 30 seconds ago.

        It says nothing about whether the key is still valid.
        """
        until, allowance = self._known.get(digest, (0.0, None))
        return allowance if until > clock.monotonic() else None

    def learn(self, digest: KeyDigest, caller: Caller) -> Allowance:
        """Note and return what a caller may send."""
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        key = Bucket(
            layer=Layer.KEY, whom=str(caller.key_id), limit=caller.per_minute or accounts.KEY_PER_MINUTE
        )
        tier = Bucket(layer=Layer.TIER, whom=str(caller.account_id), limit=caller.tier_per_minute)
        account = ids.show(ids.ACCOUNT, caller.account_id)
        allowance = Allowance(account=account, key_id=caller.key_id, buckets=(key, tier))
        self._known[digest] = (clock.monotonic() + KNOWN_SECONDS, allowance)
        return allowance

    def forget(self, digest: KeyDigest) -> None:
        """Know a key no longer: it was refused."""
        self._known.pop(digest, None)


class Visit:
    """One request on its way past the limits: who asks for what, and what is left of the windows that it counts in."""

    __slots__ = ("_address", "_denied", "_left", "_limits", "_resets_at", "action", "caller")

    def __init__(self, limits: Limits, address: str | None) -> None:
        """Count against these limits."""
        self._limits = limits
        self._address = address
        self._left: list[tuple[Bucket, int]] = []
        self._denied: Bucket | None = None
        self._resets_at = 0
        self.caller: Allowance | None = None
        self.action = OTHER

    def count_address(self) -> Awaitable[None]:
        """Count the request for its address. Raises `RateLimited`."""
        return self._take((_bucket(self._address, self._limits.ip_per_minute),))

    async def count_known(self, digest: KeyDigest) -> bool:
        """Count the request for a key that was used lately, and for its tier; `False` where that was not possible.

        Where there seems to be no room it is for `count` to say so: the limits, or the key, may have changed since.
        """
        allowance = self._limits.known(digest)
        if allowance is None:
            return False
        try:
            await self._take(allowance.buckets)
        except RateLimited:
            self._hide_caller()
            return False
        self.caller = allowance
        return True

    async def count(self, digest: KeyDigest, caller: Caller) -> None:
        """Count the request for its key and its tier. Raises `RateLimited`."""
        self.caller = self._limits.learn(digest, caller)
        await self._take(self.caller.buckets)

    async def look(self, digest: KeyDigest, caller: Caller) -> None:
        """Tell where key and tier stand, without counting."""
        self.caller = self._limits.learn(digest, caller)
        await self._take(self.caller.buckets, units=0)

    def forget(self, digest: KeyDigest) -> None:
        """Tell nothing of a key that is not valid any more."""
        self._limits.forget(digest)
        self._hide_caller()

    def headers(self) -> list[Header]:
        """Return the figures of the most restrictive window that is known, and what is left of the tier's."""
        if not self._left:
            return []
        least, left = (self._denied, 0) if self._denied is not None else min(self._left, key=_room)
        headers = [
            (b"x-ratelimit-limit", b"%d" % least.limit),
            (b"x-ratelimit-remaining", b"%d" % left),
            (b"x-ratelimit-reset", b"%d" % self._resets_at),
        ]
        last, left = self._left[-1]
        if last.layer is Layer.TIER:
            headers.append((b"x-ratelimit-tier-remaining", b"%d" % left))
        if self._denied is not None:
            seconds = -(-(self._resets_at * 1000 - clock.unix_milliseconds()) // 1000)
            headers.append((b"x-ratelimit-deniedby", least.layer.encode()))
            headers.append((b"retry-after", b"%d" % max(seconds, 1)))
        return headers

    async def _take(self, buckets: Sequence[Bucket], units: int = 1) -> None:
        windows = self._limits.windows
        if windows is None:
            return
        taken = windows.take(buckets, units)
        if not isinstance(taken, Taken):
            taken = await taken
        self._left += zip(buckets, taken.left, strict=True)
        self._resets_at = taken.resets_at
        if taken.denied is not None:
            self._denied = buckets[taken.denied]
            raise RateLimited

    def _hide_caller(self) -> None:
        self.caller = self._denied = None
        self._left = [(bucket, left) for bucket, left in self._left if bucket.layer is Layer.IP]


@lru_cache(maxsize=20_000)
def _bucket(address: str | None, per_minute: int) -> Bucket:
    """Return the bucket of an IPv4 address, of an IPv6 network of /64, or of all that come through a unix socket."""
    if address is None:
        return Bucket(layer=Layer.IP, whom="local", limit=per_minute)
    read = peers.read(address)
    whom = str(read) if isinstance(read, IPv4Address) else str(IPv6Network((int(read), 64), strict=False))
    return Bucket(layer=Layer.IP, whom=whom, limit=per_minute)
