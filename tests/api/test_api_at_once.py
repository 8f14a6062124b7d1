"""Many callers at once over real HTTP."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from books import Stored
from doors import Reply, Server

from given import Customer
from panelry.domain.catalog import ServiceId

Order = dict[str, str]


def at_once(server: Server, calls: Sequence[dict[str, Any]]) -> list[Reply]:
    """Send all of them at the same moment, each from a thread and a connection of its own."""
    start = Barrier(len(calls))

    def send(fields: dict[str, Any]) -> Reply:
        start.wait(30)
        return server.post(fields)

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(send, calls))


def orders_of(stored: Stored, customer: Customer) -> int:
    with stored() as given:
        row = given.conn.execute(
            "SELECT count(*) FROM orders WHERE account_id = %s", [customer.account]
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_ten_copies_of_one_order_are_one_order(
    server: Server, stored: Stored, customer: Customer, order: Order
) -> None:
    for number in range(5):
        replies = at_once(server, [order | {"request_id": f"copy-{number}"}] * 10)
        assert len({reply.body for reply in replies}) == 1
        assert [reply.status for reply in replies] == [200] * 10
        assert [reply.headers.get("idempotent-replayed") for reply in replies].count(None) == 1
        assert orders_of(stored, customer) == number + 1
    assert server.post(key=customer.key, action="balance").value["balance"] == "99.50"


def test_a_wallet_for_37_orders_buys_exactly_37_of_160(
    server: Server, stored: Stored, service: ServiceId, order: Order
) -> None:
    with stored() as given:
        customer = given.customer("3.70")
    calls = [order | {"key": customer.key, "request_id": f"r-{n}"} for n in range(160)]
    replies = at_once(server, calls)
    placed = [reply for reply in replies if reply.status == 200]
    assert len({reply.order for reply in placed}) == 37
    assert {reply.error for reply in replies if reply not in placed} == {(400, "Insufficient balance")}
    assert orders_of(stored, customer) == 37
    assert server.post(key=customer.key, action="balance").value["balance"] == "0.00"
    with stored() as given:
        assert given.balance(customer) == 0


def test_a_crowd_of_customers_is_told_apart(server: Server, stored: Stored, order: Order) -> None:
    with stored() as given:
        crowd = [given.customer("1") for _ in range(20)]
    calls = [order | {"key": c.key, "request_id": f"r-{n}"} for n in range(3) for c in crowd]
    replies = at_once(server, calls)
    assert len({reply.order for reply in replies}) == 60
    for position, customer in enumerate(crowd):
        own = [replies[position + 20 * n].order for n in range(3)]
        seen = server.post(
            key=customer.key, action="status", orders=",".join(reply.order for reply in replies)
        )
        assert seen.value.keys() == set(own)


def test_good_and_bad_calls_at_once_do_not_mix(server: Server, customer: Customer, order: Order) -> None:
    kinds: list[dict[str, Any]] = [
        {"request_id": ""}, {"key": "x"}, {"link": "x"}, {"quantity": "1"}, {"action": "balance"}, {"action": "x"},
    ]  # fmt: skip
    calls = [order | {"request_id": f"r-{n}"} | kind for n in range(8) for kind in kinds]
    replies = at_once(server, calls)
    expected = [
        "Missing required parameter: request_id", "Invalid API key", "Link must be a valid http(s) URL",
        "Quantity must be between 10 and 1000000", None, "Unknown action",
    ]  # fmt: skip
    assert [reply.value.get("error") for reply in replies] == expected * 8
    assert len({reply.headers["x-request-id"] for reply in replies}) == len(replies)
