"""What every loop of the engine works with: the database in threads, the providers and their connectors."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

from panelry import clock
from panelry.connectors.http import HttpClient
from panelry.connectors.registry import connect
from panelry.database.pool import Conn, Pool
from panelry.domain import orders, providers
from panelry.domain.orders import Due
from panelry.domain.providers import Connector, Provider, ProviderId, ProviderState
from panelry.domain.vault import Vault
from panelry.settings import Settings

T = TypeVar("T")
THREADS: Final = 8
PROVIDERS_SECONDS: Final = 1.0


@dataclass(slots=True)
class Desk:
    """Shared by the loops of one engine. Database calls run in threads of its own, as many as there are connections."""

    pool: Pool
    settings: Settings
    vault: Vault
    http: HttpClient
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    met: set[ProviderId] = field(default_factory=set)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="engine")
    )
    _providers: list[Provider] = field(default_factory=list)
    _read_at: float = float("-inf")

    @property
    def lease(self) -> timedelta:
        """How long claimed work is this engine's."""
        return timedelta(seconds=self.settings.lease_seconds)

    async def database(self, work: Callable[[Conn], T]) -> T:
        """Run `work` in a transaction, in a thread."""

        def run() -> T:
            with self.pool.transaction() as conn:
                return work(conn)

        return await asyncio.get_running_loop().run_in_executor(self._threads, run)

    async def due(self) -> Due:
        """Look at which providers there is work now, following aside."""
        return await self.database(orders.due)

    async def providers(self) -> list[Provider]:
        """Return all providers as they were at most a second ago."""
        if clock.monotonic() - self._read_at > PROVIDERS_SECONDS:
            self._providers = await self.database(lambda conn: providers.every(conn, self.vault))
            self._read_at = clock.monotonic()
        return self._providers

    async def open_providers(self) -> list[Provider]:
        """Return the providers to which orders may go."""
        return [p for p in await self.providers() if p.state is ProviderState.ACTIVE]

    async def resendable(self) -> set[ProviderId]:
        """Return the providers that recognise our request ids."""
        return {p.id for p in await self.providers() if p.dialect.supports_request_id}

    def connector(self, provider: Provider) -> Connector:
        """Return what speaks to a provider in its dialect."""
        return connect(provider, self.http)

    def close(self) -> None:
        """End the threads once they are idle."""
        self._threads.shutdown(wait=True, cancel_futures=True)
