"""What keeps the panel in step with its providers: their balances and their lists."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from panelry.domain import catalog, providers, webhooks
from panelry.domain.catalog import Synced
from panelry.domain.providers import Provider, ProviderState
from panelry.domain.refusals import PermanentFailure, TemporaryFailure
from panelry.engine.desk import Desk

log = structlog.get_logger()
AT_ONCE: Final = 4
"""Providers that are asked at the same time: a list may be large."""


async def read_balances(desk: Desk) -> None:
    """Ask every provider what we have left; a pause for a bad key or empty funds ends when the answer disproves it."""
    await _for_each(await desk.providers(), "balance", lambda provider: _read_balance(desk, provider))


async def read_paused_balances(desk: Desk) -> None:
    """Ask those providers again soon that are paused: orders wait for them."""
    paused = [p for p in await desk.providers() if p.state is ProviderState.PAUSED]
    await _for_each(paused, "balance", lambda provider: _read_balance(desk, provider))


async def sync_catalogues(desk: Desk) -> None:
    """Read every provider's list anew and follow it; a list that is not to be believed changes nothing."""
    await _for_each(await desk.providers(), "services", lambda provider: sync_catalogue(desk, provider))


async def meet_new_providers(desk: Desk) -> int:
    """Read balance and list of providers that were just added, so that their costs are known from the first order."""
    never_synced = await desk.database(lambda conn: providers.never_synced(conn, desk.vault))
    new = [provider for provider in never_synced if provider.id not in desk.met]
    desk.met.update(provider.id for provider in new)
    await _for_each(new, "balance", lambda provider: _read_balance(desk, provider))
    await _for_each(new, "services", lambda provider: sync_catalogue(desk, provider))
    return len(new)


async def forget_deliveries(desk: Desk) -> None:
    """Delete deliveries that ended more than 30 days ago, some at a time."""
    while await desk.database(webhooks.forget) and not desk.stop.is_set():
        pass


async def sync_catalogue(desk: Desk, provider: Provider) -> Synced:
    """Read one provider's list and let the catalogue follow it. Raises a failure, and then nothing has changed."""
    services = await desk.connector(provider).services()
    percent = desk.settings.price_move_percent
    synced = await desk.database(lambda conn: catalog.sync(conn, provider.id, services, move_percent=percent))
    if synced.changes:
        counts = Counter(str(change.kind) for change in synced.changes)
        log.info("catalogue_changed", provider=provider.name, services=synced.services, **counts)
    return synced


async def _read_balance(desk: Desk, provider: Provider) -> None:
    balance = await desk.connector(provider).balance()
    await desk.database(lambda conn: providers.record_balance(conn, provider.id, balance))


async def _for_each(
    asked: Iterable[Provider], what: str, act: Callable[[Provider], Awaitable[object]]
) -> None:
    """Act for each provider, some at the same time; one that fails keeps no other one from its turn."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(provider: Provider) -> None:
        async with turns:
            try:
                await act(provider)
            except (TemporaryFailure, PermanentFailure) as failure:
                log.warning("provider_did_not_answer", provider=provider.name, what=what, error=str(failure))

    await asyncio.gather(*(one(provider) for provider in asked))
