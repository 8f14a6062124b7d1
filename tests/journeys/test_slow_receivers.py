"""Dead receivers delay nobody. `pytest -s tests/journeys/test_slow_receivers.py` prints how quick a healthy one is."""

import math
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from deliveries import Stage
from panels import until

import receivers
from connectors.upstreams import black_hole
from given import Customer, Given
from hooks import endpoint, told
from panelry import settings as panelry_settings
from panelry.database.pool import Pool
from panelry.domain import ids
from panelry.domain.vault import open_vault
from panelry.domain.webhooks import Registered
from receivers import Receivers, receiving

EVENTS = 200
PAUSE_SECONDS = 0.02
DEAD = 10
BACKLOG = 100


def test_a_healthy_receiver_is_told_everything_while_ten_dead_ones_hang(
    fresh_database: str, fresh_pool: Pool, folder: Path
) -> None:
    """Half of the dead ones never let a connection come about, half never answer; all have a backlog."""
    stage = Stage(url=fresh_database, folder=folder)
    dead = {f"dead-{number}": receivers.stalls for number in range(DEAD)}
    with receiving({"healthy": receivers.takes, **dead}) as shops, ExitStack() as stack:
        customer, _ = _register(fresh_pool, shops.url("healthy"))
        stage.start()
        stack.callback(stage.stop)
        _tell(fresh_pool, customer, 1)
        until(lambda: shops.heard)
        table = {"alone": _latencies(fresh_pool, customer, shops)}
        for number, path in enumerate(dead):
            url = shops.url(path) if number % 2 else stack.enter_context(black_hole())
            other, _ = _register(fresh_pool, url)
            _tell(fresh_pool, other, BACKLOG)
        until(lambda: stage.count("sending") == 2 * DEAD)
        table["beside ten dead"] = _latencies(fresh_pool, customer, shops)
        until(lambda: stage.count("delivered") == 1 + 2 * EVENTS)
        assert stage.count("sending", "waiting") == DEAD * BACKLOG
    assert max(shops.most.values()) == receivers.MOST
    _print(table)


def _register(pool: Pool, url: str) -> tuple[Customer, Registered]:
    with pool.transaction() as conn:
        customer = Given(conn).customer()
        return customer, endpoint(conn, customer, url, vault=open_vault(panelry_settings.load()))


def _tell(pool: Pool, customer: Customer, events: int) -> list[str]:
    with pool.transaction() as conn:
        return [ids.show(ids.EVENT, event.id) for event in told(conn, customer, events)]


def _latencies(pool: Pool, customer: Customer, shops: Receivers) -> list[float]:
    """Let one thing after the other happen; return how long after its commit the healthy receiver was told of each."""
    committed: dict[str, float] = {}
    for _ in range(EVENTS):
        [id_] = _tell(pool, customer, 1)
        committed[id_] = time.monotonic()
        time.sleep(PAUSE_SECONDS)
    until(lambda: committed.keys() <= {one.id for one in shops.heard})
    heard = {one.id: one.at for one in reversed(shops.heard)}
    return [heard[id_] - at for id_, at in committed.items()]


def _print(table: dict[str, Sequence[float]]) -> None:
    lines = [f"{'from the commit to the receiver, ms':<36}{'p50':>6}{'p99':>6}{'max':>6}"]
    for name, seconds in table.items():
        ordered = sorted(seconds)
        p50, p99 = (ordered[math.ceil(len(ordered) * share) - 1] for share in (0.5, 0.99))
        lines.append(f"{name:<36}" + "".join(f"{1000 * value:>6.0f}" for value in (p50, p99, ordered[-1])))
    sys.stderr.write("\n" + "\n".join(lines) + "\n")
