"""The engine reads providers' lists, and the catalogue follows them."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

from shops import desk, orders_at, rows, shop

from panelry.database.pool import Pool
from panelry.engine import upkeep
from panelry.settings import Settings


def _listed(pool: Pool, url: str) -> tuple[int, dict[str, Any]]:
    """Sell one service of a provider; return our number of it, and its row in the provider's list."""
    provider = orders_at(pool, url, 0)
    [(service, name)] = rows(
        pool, "SELECT service_id, provider_service FROM routes WHERE provider_id = %s", provider
    )
    row = {"service": name, "name": "A", "type": "Default", "rate": "1.10", "min": 10, "max": 1000}
    return service, row


def test_every_providers_list_is_followed_also_where_another_one_fails(
    fresh_pool: Pool, settings: Settings
) -> None:
    async def run() -> dict[int, tuple[int, int]]:
        async with shop() as good, shop(answer={"services": {"error": "maintenance"}}) as bad:
            orders_at(fresh_pool, bad.url, 0)
            followed, row = _listed(fresh_pool, good.url)
            good.answer["services"] = [row]
            async with desk(fresh_pool, settings) as one:
                await upkeep.sync_catalogues(one)
            found = rows(fresh_pool, "SELECT id, rate_micros, maximum FROM services")
            return {id_ == followed: (rate, maximum) for id_, rate, maximum in found}

    assert asyncio.run(run()) == {True: (1_100_000, 1000), False: (1_000_000, 1_000_000)}


def test_how_far_a_price_may_move_is_the_operators_setting(fresh_pool: Pool, settings: Settings) -> None:
    async def run() -> list[Any]:
        async with shop() as upstream:
            _, row = _listed(fresh_pool, upstream.url)
            upstream.answer["services"] = [row]
            async with desk(fresh_pool, replace(settings, price_move_percent=Decimal(9))) as one:
                await upkeep.sync_catalogues(one)
        return rows(fresh_pool, "SELECT after_micros, state FROM price_moves")

    assert asyncio.run(run()) == [(1_100_000, "held")]
