"""As `test_lives_of_all_orders`, where nothing is counted by a quantity that the customer says."""

import pytest
from machine import play

from panelry.database.pool import Pool


@pytest.mark.timeout(3600)
def test_packages_comments_and_subscriptions_keep_the_laws_and_end(fresh_pool: Pool) -> None:
    play(fresh_pool, lives=90, items=(3, 4, 5))
