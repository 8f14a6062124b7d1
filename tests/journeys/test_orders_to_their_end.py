"""From a customer's request over Panelry to a provider and back: every order ends as the provider says, to the cent."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from panels import QUICK, Panel, panel, until

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream

# What becomes of 1,000 units at 1.50 for 1,000 of each of the sandbox's services: status, and what it costs at last.
ENDS = {
    "1": ("completed", "1.50"),
    "2": ("completed", "1.50"),
    "3": ("partial", "0.60"),
    "4": ("cancelled", "0.00"),
    "5": ("refunded", "0.00"),
    "6": ("processing", "1.50"),
    "7": ("processing", "1.50"),
    "8": ("processing", "1.50"),
    "11": ("processing", "1.50"),
    "13": ("pending", "1.50"),
    "20": ("completed", "1.50"),
}
UNKNOWN = ("6", "7", "8")
NOT_BOUGHT = ("5", "8", "13")
EACH = 2


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Upstream]:
    with (
        servers.open_folder() as folder,
        sandboxes.running(folder / "sandbox.jsonl", speed=20) as upstream,
    ):
        yield upstream


@pytest.fixture(scope="module")
def seller() -> Iterator[Panel]:
    with servers.open_folder() as folder, panel(folder / "data", settings=QUICK) as one:
        yield one


Sold = dict[str, list[str]]


@pytest.fixture(scope="module")
def key(seller: Panel) -> str:
    return seller.customer(credit="100")


@pytest.fixture(scope="module")
def sold(seller: Panel, sandbox: Upstream, key: str) -> Sold:
    """Sell every service of `ENDS`, wait until all orders are where they stay, and return the orders by service."""
    seller.provider("Rich", sandbox.url)
    seller.provider("Poor", sandbox.url)
    ours = seller.services("Rich", ",".join(s for s in ENDS if s != "13"), markup="50")
    ours |= seller.services("Poor", "13", markup="50")
    orders = {
        service: [seller.add(key, ours[service], f"{service}-{n}") for n in range(EACH)] for service in ENDS
    }
    until(
        lambda: (
            {s: _ends(seller, key, o) for s, o in orders.items()} == {s: [e] * EACH for s, e in ENDS.items()}
        )
    )
    until(lambda: len(seller.cli("submissions")["submissions"]) == len(UNKNOWN) * EACH)
    return orders


def _ends(seller: Panel, key: str, orders: list[str]) -> list[tuple[str, str]]:
    return [(row["status"], row["charge"]) for row in seller.status(key, orders).values()]


def test_every_order_ends_as_the_provider_says(seller: Panel, key: str, sold: Sold) -> None:
    told = {service: _ends(seller, key, orders) for service, orders in sold.items()}
    assert told == {service: [end] * EACH for service, end in ENDS.items()}


def test_the_wallet_has_paid_what_the_orders_cost(seller: Panel, key: str, sold: Sold) -> None:
    left = Decimal(100) - EACH * sum(Decimal(cost) for _, cost in ENDS.values())
    balance = seller.cli("account", "credit", "customer@example.com", "1", "--reason", "to see it")["balance"]
    assert Decimal(balance) == left + 1


def test_what_the_provider_accepted_is_what_we_believe_it_has(sandbox: Upstream, sold: Sold) -> None:
    wanted = [f"https://example.com/{s}-{n}" for s in ENDS if s not in NOT_BOUGHT for n in range(EACH)]
    assert Counter(line["link"] for line in sandbox.lines()) == Counter(wanted)


def test_lost_answers_wait_for_a_person_with_evidence(seller: Panel, sold: Sold) -> None:
    rows = seller.cli("submissions")["submissions"]
    assert {row["order"] for row in rows} == {order for s in UNKNOWN for order in sold[s]}
    assert all(row["evidence"] and row["evidence"][-1]["note"] for row in rows)


def test_an_order_is_shown_with_all_that_happened_to_it(seller: Panel, sold: Sold) -> None:
    shown: dict[str, Any] = seller.cli("order", "show", sold["3"][0])
    assert (shown["charge"], shown["refunded"], shown["kept"]) == ("1.50", "0.90", "0.60")
    assert [step["type"] for step in shown["events"]][-2:] == ["order.partial", "order.refunded"]
    assert [(t["to"], t["amount"]) for t in shown["transfers"]] == [("sales", "1.50"), ("wallet", "0.90")]
    assert [s["state"] for s in shown["submissions"]] == ["accepted"]


def test_only_the_provider_without_funds_is_paused_and_its_customers_see_nothing_of_it(
    seller: Panel, key: str, sold: Sold
) -> None:
    service = seller.cli("order", "show", sold["13"][0])["service"]
    more = count()

    def is_seen() -> bool:
        """Look at list and doctor, and order again where the pause is over: by its balance the provider has money."""
        states = {
            row["name"]: (row["state"], row["pause_reason"])
            for row in seller.cli("provider", "list")["providers"]
        }
        doctor = seller.run("doctor", "--json")
        advice = [c["advice"] for c in doctor.value["checks"] if not c["ok"]]
        is_paused = states == {"Rich": ("active", ""), "Poor": ("paused", "funds")}
        if not is_paused:
            seller.add(key, service, f"13-again-{next(more)}")
        return is_paused and doctor.code == 1 and any("Poor" in text for text in advice)

    until(is_seen)


def test_the_books_are_right(seller: Panel, sold: Sold) -> None:
    books = seller.cli("ledger", "verify")
    assert (books["wrong"], books["wallets"]) == ([], 1)


def test_no_log_line_holds_a_key_or_a_traceback(seller: Panel, key: str, sold: Sold) -> None:
    lines = seller.lines()
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    assert not [line for line in lines if "exception" in line]
    text = seller.log.read_text()
    assert key not in text
    assert '"secret"' not in text
