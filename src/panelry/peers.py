"""Who is at the other end of a connection: the socket's address, or what a proxy that the operator trusts says.

Whoever is not a trusted proxy can write anything into `X-Forwarded-For`, and proxies append to what they got. So it is
read from the right: each trusted proxy vouches for the one entry that it wrote itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNIX: Final = "unix"
MOST_HOPS: Final = 32
_WITH_PORT: Final = re.compile(r"\[([^\[\]]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """Some addresses, as networks; `unix` adds whoever connects through a unix socket and has no address."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    def __contains__(self, peer: Address | None) -> bool:
        """Tell whether an address is one of them; `None` is the unix socket's."""
        if peer is None:
            return self.unix
        return any(peer in network for network in self.networks)

    def __bool__(self) -> bool:
        """Tell whether anybody is meant."""
        return self.unix or bool(self.networks)


NOBODY: Final = Peers()
LOOPBACK: Final = Peers(networks=(IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")))


def parse(text: str) -> Peers:
    """Read addresses and networks separated by commas; the word `unix` means the unix socket. Raises `ValueError`."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    return Peers(
        networks=tuple(ip_network(word) for word in words if word != UNIX),
        unix=UNIX in words,
    )


@lru_cache(maxsize=10_000)
def read(text: str) -> Address:
    """Read an address; an IPv4 address that came through an IPv6 socket is an IPv4 address. Raises `ValueError`."""
    address = ip_address(text.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def client(peer: str | None, forwarded: Sequence[bytes], *, trusted: Peers) -> str | None:
    """Return the address of who sent a request; `None` for a unix socket behind which nobody else is named.

    `peer` is the socket's address, `forwarded` the values of the lines `X-Forwarded-For`. The walk ends at the first
    address that is not a trusted proxy's, or at the last readable one.
    """
    found = None if peer is None else read(peer)
    entries = b",".join(forwarded).decode("latin-1").rsplit(",", MOST_HOPS)[-MOST_HOPS:] if forwarded else []
    while entries and found in trusted:
        named = _entry(entries.pop())
        if named is None:
            break
        found = named
    return None if found is None else str(found)


def _entry(text: str) -> Address | None:
    stripped = text.strip(" \t")
    with_port = _WITH_PORT.fullmatch(stripped)
    try:
        return read(with_port[1] or with_port[2] if with_port else stripped)
    except ValueError:
        return None
