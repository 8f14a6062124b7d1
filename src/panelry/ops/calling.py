"""Calls to providers from the command line: the same connectors and address rules as the engine's."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from panelry.connectors import addresses
from panelry.connectors.http import HttpClient
from panelry.connectors.registry import connect
from panelry.domain.providers import Connector, Provider
from panelry.settings import Settings

T = TypeVar("T")


def call(settings: Settings, provider: Provider, ask: Callable[[Connector], Awaitable[T]]) -> T:
    """Ask a provider one thing and return what it answers. Raises its failures."""

    async def run() -> T:
        http = HttpClient(
            policy=addresses.for_providers(settings),
            connect_seconds=settings.provider_connect_seconds,
            total_seconds=settings.provider_total_seconds,
        )
        async with http:
            return await ask(connect(provider, http))

    return asyncio.run(run())
