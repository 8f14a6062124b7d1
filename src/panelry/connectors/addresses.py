"""Which addresses may be dialled (api-v2.md §7, last point).

A URL is checked when it is entered and again before each call; the address that its name resolves to is checked when
it is dialled, so a name that answers differently the second time gains nothing.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from yarl import URL

from panelry.settings import Settings

LONGEST_URL: Final = 2_000

# Written out instead of `is_global`, whose answer differs between Python versions and passes multicast and tunnels.
# https://www.iana.org/assignments/iana-ipv4-special-registry
_NOT_PUBLIC: Final = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT, and some clouds' metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host, reachable from inside only
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast, reserved, broadcast
        # https://www.iana.org/assignments/iana-ipv6-special-registry, inside 2000::/3
        "2001::/23",  # Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_UNICAST: Final = IPv6Network("2000::/3")


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """Tell whether an address belongs to somebody on the public internet; anything unreadable does not."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    # Mapped, compatible, NAT64, unique-local, link-local and multicast addresses all lie outside 2000::/3.
    if isinstance(ip, IPv6Address) and (ip.scope_id is not None or ip not in _UNICAST):
        return False
    return not any(ip in block for block in _NOT_PUBLIC if block.version == ip.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """What one kind of call may dial; `ports` is `None` for any."""

    schemes: frozenset[str]
    ports: frozenset[int] | None = None
    public_only: bool = True

    def objection(self, url: str) -> str | None:
        """Say why a URL may not be called, or `None`; a name is not resolved here."""
        if len(url) > LONGEST_URL or not url.isprintable() or " " in url or "\\" in url:
            return "it is not a usable URL"
        try:
            parsed = URL(url)
            host, port, named = parsed.raw_host, parsed.port, parsed.user or parsed.password
        except ValueError:
            return "it is not a usable URL"
        if parsed.scheme not in self.schemes:
            return f"its scheme must be {' or '.join(sorted(self.schemes))}"
        authority = re.split(r"[/?#]", url.partition("//")[2], maxsplit=1)[0]
        if not host or not port or any(c.isdigit() and not c.isascii() for c in authority):
            return "it is not a usable URL"
        if named or "@" in authority:
            return "it must not carry a user name"
        if self.ports is not None and port not in self.ports:
            return "its port is not allowed"
        if ("[" in authority or _is_number(host)) and not self.allows(host):
            return "its address is not public"
        return None

    def allows(self, address: str) -> bool:
        """Tell whether this resolved address may be dialled."""
        return not self.public_only or is_public(address)


PUBLIC_HTTPS: Final = AddressPolicy(schemes=frozenset({"https"}))
ANYWHERE: Final = AddressPolicy(schemes=frozenset({"http", "https"}), public_only=False)


def for_providers(settings: Settings) -> AddressPolicy:
    """Return what calls to providers may dial: public and https, or anything where the operator allowed it."""
    return ANYWHERE if settings.private_addresses_allowed else PUBLIC_HTTPS


def for_webhooks(settings: Settings) -> AddressPolicy:
    """Return what deliveries may dial: public and https on a few ports, or anything where the operator develops."""
    if settings.development:
        return ANYWHERE
    return AddressPolicy(schemes=frozenset({"https"}), ports=settings.webhook_ports)


def _is_number(host: str) -> bool:
    # As browsers do it: a last label that starts with a digit (127.1, 0x7f.1, 2130706433) makes an IPv4 address.
    return host.rstrip(".").rpartition(".")[2][:1].isdigit()
