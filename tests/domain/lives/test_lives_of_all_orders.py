"""Whatever happens to orders, in whatever order: what `laws` says holds, and each of them comes to its end."""

import pytest
from machine import play

from panelry.database.pool import Pool


@pytest.mark.timeout(3600)
def test_orders_of_all_kinds_keep_the_laws_and_end(fresh_pool: Pool) -> None:
    play(fresh_pool, lives=110)
