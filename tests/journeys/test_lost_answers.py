"""A provider that took an order and never said so is not asked twice, whatever happens to the engine."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from panels import QUICK, Panel, panel, until

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream

HANGS, RESETS = "6", "7"
KILLS = 4


def _has(sandbox: Upstream, link: str) -> bool:
    return link in [line["link"] for line in sandbox.lines()]


@pytest.fixture
def stage() -> Iterator[tuple[Panel, Upstream]]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        sandbox = stack.enter_context(sandboxes.running(folder / "sandbox.jsonl"))
        yield stack.enter_context(panel(folder / "data", settings=QUICK)), sandbox


def test_however_often_the_engine_is_killed_an_order_is_bought_once(stage: tuple[Panel, Upstream]) -> None:
    seller, sandbox = stage
    seller.provider("Sandbox", sandbox.url)
    ours = seller.services("Sandbox", f"{HANGS},{RESETS}")
    key = seller.customer(credit="100")
    orders = []
    for n in range(KILLS):
        orders += [seller.add(key, ours[service], f"{service}-{n}") for service in (HANGS, RESETS)]
        until(partial(_has, sandbox, f"https://example.com/{HANGS}-{n}"))
        seller.until_restarted("work", seller.kill("work"))  # the call hangs at this moment
        if n % 2:
            seller.kill("work")  # and once more, while it starts

    until(lambda: {row["order"] for row in seller.cli("submissions")["submissions"]} == set(orders))
    seller.stop()
    seller.started()
    for row in seller.cli("submissions")["submissions"]:
        assert row["evidence"]
        assert row["order"] in orders
    bought = Counter(line["link"] for line in sandbox.lines())
    assert set(bought.values()) == {1}
    assert {link for link in bought if f"/{HANGS}-" in link} == {
        f"https://example.com/{HANGS}-{n}" for n in range(KILLS)
    }
    for order in orders:
        shown = seller.cli("order", "show", order)
        assert (shown["status"], shown["charge"], shown["refunded"]) == ("processing", "1.00", "0.00")
        [submission] = shown["submissions"]
        assert submission["state"] in {"unknown", "quarantined"}
    assert seller.cli("ledger", "verify")["wrong"] == []
