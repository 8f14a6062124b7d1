"""Each of the sandbox's services ends as its row in its table says, with the exact charge, from the API to the provider.

Lost answers (6, 7, 8) are followed in test_unknown_to_their_end.py, routes and pauses for funds (13) in the domain's tests
and test_orders_to_their_end.py.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from panels import QUICK, Panel, panel, until

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream

LINK = "https://example.com/"
TWELVE = "\n".join(f"line {n}" for n in range(12))

# Service, its parameters beside the link, and: status, charge, start_count, remains.
SIMPLE: Mapping[str, tuple[str, str, str, str]] = {
    "1": ("completed", "1.00", "100", "0"),
    "2": ("completed", "1.00", "100", "0"),
    "3": ("partial", "0.40", "100", "600"),
    "4": ("cancelled", "0.00", "0", "1000"),
    "5": ("refunded", "0.00", "0", "1000"),
    "9": ("completed", "1.00", "100", "0"),
    "10": ("completed", "1.00", "100", "200"),
    "12": ("completed", "1.00", "100", "0"),
    "14": ("completed", "1.00", "100", "0"),
    "15": ("completed", "1.00", "100", "0"),
}
TYPES: Mapping[str, tuple[dict[str, str], str]] = {
    "20": ({"quantity": "100"}, "0.10"),
    "21": ({}, "75.00"),
    "22": ({"comments": TWELVE}, "0.012"),
    "23": ({"comments": "one\ntwo"}, "75.00"),
    "24": ({"quantity": "100", "usernames": "anna\nben"}, "0.10"),
    "25": ({"quantity": "100", "usernames": "anna", "hashtags": "spring"}, "0.10"),
    "26": ({"usernames": TWELVE}, "0.012"),
    "27": ({"quantity": "100", "hashtag": "spring"}, "0.10"),
    "28": ({"quantity": "100", "username": "anna"}, "0.10"),
    "29": ({"quantity": "100", "media": "https://example.com/picture"}, "0.10"),
    "30": ({"quantity": "100", "username": "anna"}, "0.10"),
    "31": ({"username": "anna", "comments": TWELVE}, "0.012"),
    "32": ({"quantity": "100", "answer_number": "2"}, "0.10"),
    "33": ({"quantity": "100", "groups": "https://example.com/group"}, "0.10"),
    "34": ({"quantity": "100", "keywords": "spring"}, "0.10"),
    "35": ({"quantity": "100", "country": "DE", "device": "1", "type_of_traffic": "3"}, "0.10"),
    "36": ({"username": "anna", "min": "10", "max": "20", "posts": "5", "delay": "0"}, "0.01"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Upstream]:
    with servers.open_folder() as folder, sandboxes.running(folder / "sandbox.jsonl", speed=10) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def seller(sandbox: Upstream) -> Iterator[Panel]:
    with servers.open_folder() as folder, panel(folder / "data", settings=QUICK) as one:
        one.provider("Sandbox", sandbox.url)
        yield one


@pytest.fixture(scope="module")
def ours(seller: Panel) -> dict[str, int]:
    return seller.services("Sandbox", "all")


@pytest.fixture(scope="module")
def key(seller: Panel) -> str:
    return seller.customer(credit="1000")


def call(seller: Panel, key: str, action: str, **fields: object) -> Any:
    status, answer = seller.call(key, action, **fields)
    assert status == 200, answer
    return answer


def shown(seller: Panel, key: str, order: str) -> dict[str, str]:
    return dict(call(seller, key, "status", order=order))


def is_end(row: Mapping[str, str], end: tuple[str, str, str, str]) -> bool:
    return (row["status"], row["charge"], row["start_count"], row["remains"]) == end


def unfinished(seller: Panel, key: str, orders: Mapping[str, str]) -> set[str]:
    return {s for s, end in SIMPLE.items() if not is_end(shown(seller, key, orders[s]), end)}


def test_each_service_ends_as_its_row_says(seller: Panel, key: str, ours: dict[str, int]) -> None:
    orders = {service: seller.add(key, ours[service], f"simple-{service}") for service in SIMPLE}
    behind = seller.add(key, ours["9"], "behind", link=f"{LINK}simple-9")
    until(lambda: shown(seller, key, orders["12"])["status"] != "pending")
    assert call(seller, key, "cancel", order=orders["12"]) == {"cancel": orders["12"]}
    until(lambda: not unfinished(seller, key, orders), seconds=90)
    until(lambda: shown(seller, key, behind)["status"] == "completed", seconds=90)
    assert is_end(shown(seller, key, orders["14"]), SIMPLE["14"])
    events = [step["type"] for step in seller.cli("order", "show", orders["12"])["events"]]
    assert {"order.cancel_requested", "order.cancel_refused"} <= set(events)

    refill = call(seller, key, "refill", order=orders["10"])["refill"]
    until(lambda: call(seller, key, "refill_status", refill=refill)["status"] == "completed")
    until(lambda: shown(seller, key, orders["10"])["remains"] == "0", seconds=90)
    status, answer = seller.call(key, "refill", order=orders["15"])
    assert (status, answer) == (400, {"error": "Refill is not available for this service"})


def test_what_is_cancelled_at_the_provider_costs_nothing(
    seller: Panel, key: str, ours: dict[str, int]
) -> None:
    order = seller.add(key, ours["11"], "manual")
    until(lambda: shown(seller, key, order)["status"] == "processing")
    assert call(seller, key, "cancel", orders=order) == [{"order": order, "cancel": order}]
    until(lambda: is_end(shown(seller, key, order), ("cancelled", "0.00", "0", "1000")))


def test_every_type_is_delivered_for_its_exact_charge(
    seller: Panel, sandbox: Upstream, key: str, ours: dict[str, int]
) -> None:
    orders = {}
    for service, (parameters, _) in TYPES.items():
        link = {} if service == "36" else {"link": f"{LINK}type-{service}"}
        answer = call(
            seller, key, "add", service=ours[service], request_id=f"type-{service}", **link, **parameters
        )
        orders[service] = answer["order"]
    until(lambda: {r["status"] for r in seller.status(key, list(orders.values())).values()} == {"completed"})
    rows = seller.status(key, list(orders.values()))
    assert {s: rows[order]["charge"] for s, order in orders.items()} == {s: c for s, (_, c) in TYPES.items()}
    assert (rows[orders["36"]]["posts"], rows[orders["36"]]["posts_done"]) == ("5", "5")
    assert {row["remains"] for row in rows.values()} == {"0"}
    units = {str(line["service"]): line["quantity"] for line in sandbox.lines() if "service" in line}
    assert {s: units[s] for s in TYPES} == {
        s: {"0.10": 100, "75.00": 1, "0.012": 12, "0.01": 10}[charge] for s, (_, charge) in TYPES.items()
    }


def test_at_last_the_books_are_right_and_nothing_was_bought_twice(
    seller: Panel, sandbox: Upstream, key: str
) -> None:
    assert seller.cli("ledger", "verify")["wrong"] == []
    assert seller.cli("submissions")["submissions"] == []
    bought = [(line["service"], line["link"]) for line in sandbox.lines() if "service" in line]
    twice = {one for one in bought if bought.count(one) > 1}
    assert twice == {(9, f"{LINK}simple-9")}, "two orders for one link are two"
    spent = sum(Decimal(charge) for _, charge, _, _ in SIMPLE.values()) + Decimal(1)
    spent += sum(Decimal(charge) for _, charge in TYPES.values())
    balance = seller.cli("account", "credit", "customer@example.com", "1", "--reason", "to see it")["balance"]
    assert Decimal(balance) == Decimal(1001) - spent
