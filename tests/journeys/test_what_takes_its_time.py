"""Orders that take their time: drip-feeds, each run when its hour has come, and one that waits for funds upstream."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from panels import QUICK, Panel, panel, until

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream

WEB_TRAFFIC = {"country": "DE", "device": "1", "type_of_traffic": "3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A panel that sells what the sandbox has at its prices, and a customer."""

    panel: Panel
    sandbox: Upstream
    key: str
    services: dict[str, int]

    def drip(self, service: str, name: str, *, runs: int, fault: str = "", **more: str) -> str:
        """Order 100 units an hour."""
        link = f"https://example.com/{name}?sandbox={fault}" if fault else f"https://example.com/{name}"
        status, answer = self.panel.call(
            self.key, "add", service=self.services[service], request_id=name, link=link, quantity=100, runs=runs,
            interval=60, **more,
        )  # fmt: skip
        assert status == 200, answer
        return str(answer["order"])

    def status(self, order: str) -> dict[str, Any]:
        return dict(self.panel.status(self.key, [order])[order])

    def until_done(self, order: str, runs: int) -> None:
        until(lambda: self.status(order)["runs_done"] == str(runs))

    def bought(self, name: str) -> list[int]:
        return [line["quantity"] for line in self.sandbox.lines() if f"/{name}" in line.get("link", "")]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        sandbox = stack.enter_context(sandboxes.running(folder / "sandbox.jsonl", speed=20))
        seller = stack.enter_context(panel(folder / "data", settings=QUICK))
        seller.provider("Sandbox", sandbox.url)
        services = seller.services("Sandbox", "1,13,35")
        yield Shop(panel=seller, sandbox=sandbox, key=seller.customer(credit="100"), services=services)


def test_runs_are_bought_one_an_hour_whoever_was_killed_and_cost_what_they_cost_together(shop: Shop) -> None:
    plain = shop.drip("1", "plain", runs=3)
    traffic = shop.drip("35", "traffic", runs=2, **WEB_TRAFFIC)
    in_part = shop.drip("1", "in-part", runs=2, fault="partial")
    stopped = shop.drip("1", "stopped", runs=3)
    for order in (plain, traffic, in_part, stopped):
        shop.until_done(order, 1)
    rows = {order: shop.status(order) for order in (plain, traffic, in_part)}
    assert {(row["status"], row["remains"]) for row in rows.values()} == {
        ("in_progress", "200"), ("in_progress", "100"), ("in_progress", "160"),
    }  # fmt: skip
    assert shop.panel.call(shop.key, "cancel", order=stopped) == (200, {"cancel": stopped})

    for hour in (1, 2):
        assert [shop.bought(name) for name in ("plain", "stopped")] == [[100] * hour, [100]]
        shop.panel.later(f"{hour * 61} minutes")
        shop.until_done(plain, 1 + hour)
    for order in (traffic, in_part):
        shop.until_done(order, 2)

    ends = {order: shop.status(order) for order in (plain, traffic, in_part, stopped)}
    assert [(row["status"], row["charge"], row["remains"]) for row in ends.values()] == [
        ("completed", "0.30", "0"),
        ("completed", "0.20", "0"),
        ("partial", "0.08", "120"),
        ("partial", "0.10", "200"),
    ]
    assert shop.bought("plain") == [100, 100, 100]
    assert shop.bought("traffic") == shop.bought("in-part") == [100, 100]
    assert shop.bought("stopped") == [100]


def test_an_order_that_waits_for_funds_upstream_holds_up_no_other(shop: Shop) -> None:
    waits = shop.panel.add(shop.key, shop.services["13"], "waits")
    until(lambda: _submissions(shop, waits) == ["rejected"])
    other = shop.panel.add(shop.key, shop.services["1"], "other")
    until(lambda: shop.status(other)["status"] == "completed")
    row = shop.status(waits)
    assert (row["status"], row["charge"], row["remains"]) == ("pending", "1.00", "1000")
    assert shop.bought("waits") == []
    assert _submissions(shop, waits) == ["rejected"]


def _submissions(shop: Shop, order: str) -> list[str]:
    return [row["state"] for row in shop.panel.cli("order", "show", order)["submissions"]]


def test_the_books_are_right_at_last(shop: Shop) -> None:
    assert shop.panel.cli("ledger", "verify")["wrong"] == []
    command = ("account", "credit", "customer@example.com", "1", "--reason", "to see it")
    balance = shop.panel.cli(*command)["balance"]
    assert balance == "98.32", "100 - 0.30 - 0.20 - 0.08 - 0.10 - 1.00 - 1.00 + 1"
