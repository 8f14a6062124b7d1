"""As `test_lives_of_all_orders`, where most orders are drip-feeds."""

import pytest
from machine import play

from panelry.database.pool import Pool


@pytest.mark.timeout(3600)
def test_drip_feeds_keep_the_laws_and_end(fresh_pool: Pool) -> None:
    play(fresh_pool, lives=100, items=(1, 2, 6))
