"""Name look-ups for the addresses that strangers gave us.

They are asked by c-ares, in no thread: a name server of a stranger that never answers delays nobody else's look-up, and
the resolver is not the one of the calls to providers. `/etc/hosts` counts as everywhere.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import AsyncResolver
from yarl import URL

from panelry.connectors.addresses import AddressPolicy

LOOKUP_SECONDS: Final = 3.0
_TRY_SECONDS: Final = 1.5
_TRIES: Final = 2


@asynccontextmanager
async def resolving() -> AsyncIterator[AbstractResolver]:
    """Lend a resolver of its own."""
    resolver = AsyncResolver(timeout=_TRY_SECONDS, tries=_TRIES)
    try:
        yield resolver
    finally:
        await resolver.close()


async def is_reachable(url: str, policy: AddressPolicy, *, resolver: AbstractResolver | None = None) -> bool:
    """Tell whether a URL may be called and its name resolves, within 3 s, to nothing but addresses that may be dialled.

    A policy that lets any address be dialled has nothing to ask for. What a name says now it may take back at once:
    what counts is the check when it is dialled.
    """
    if policy.objection(url) is not None:
        return False
    if not policy.public_only:
        return True
    if resolver is not None:
        return await _is_allowed(URL(url), policy, resolver)
    async with resolving() as own:
        return await _is_allowed(URL(url), policy, own)


async def _is_allowed(url: URL, policy: AddressPolicy, resolver: AbstractResolver) -> bool:
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            found = await resolver.resolve(url.raw_host or "", url.port or 0, socket.AF_UNSPEC)
    except OSError:  # TimeoutError is one
        return False
    return bool(found) and all(policy.allows(one["host"]) for one in found)
