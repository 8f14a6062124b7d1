"""As `test_lives_of_all_orders`, where most calls to providers are answered too late or never."""

import pytest
from machine import play

from panelry.database.pool import Pool


@pytest.mark.timeout(3600)
def test_orders_whose_answers_are_lost_keep_the_laws_and_end(fresh_pool: Pool) -> None:
    play(fresh_pool, lives=110, items=(0, 1, 4, 6), usual="bought, answer lost")
