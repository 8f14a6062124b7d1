"""Clients that others published for panels like ours work unmodified: placed, followed, paid for."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from panels import Panel, panel, until
from safesmm import SafeSMM, SafeSMMError
from smm import SMM
from smm.client import SMMNetworkError

import servers
from connectors import sandboxes


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A panel that sells what completes at once, and one customer of it."""

    panel: Panel
    key: str
    service: int

    @property
    def url(self) -> str:
        return f"{self.panel.address}/api/v2"


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        sandbox = stack.enter_context(sandboxes.running(folder / "sandbox.jsonl", speed=20))
        one = stack.enter_context(panel(folder / "panel"))
        one.provider("Sandbox", sandbox.url)
        service = one.services("Sandbox", "1", markup="100")["1"]
        yield Shop(panel=one, key=one.customer(credit="50"), service=service)


def _row(services: list[dict[str, Any]], service: int) -> dict[str, Any]:
    [row] = [row for row in services if row["service"] == service]
    return row


def test_safesmm_orders_and_follows(shop: Shop) -> None:
    client = SafeSMM(shop.key, api_url=shop.url)
    assert _row(client.services(), shop.service)["rate"] == "2.00"
    before = client.balance()
    wish = {"link": "https://example.com/safesmm", "quantity": 1000, "request_id": "safesmm-1"}
    order = client.add_order(shop.service, **wish)["order"]
    assert client.add_order(shop.service, **wish)["order"] == order
    assert before["currency"] == "USD"
    assert float(before["balance"]) - float(client.balance()["balance"]) == pytest.approx(2)
    until(lambda: client.status(order)["status"] == "completed")
    assert client.status(order)["charge"] == "2.00"
    assert client.multi_status([order])[order]["remains"] == "0"
    assert client.refill(order)["refill"].startswith("ref_")
    with pytest.raises(SafeSMMError, match="Missing required parameter: request_id"):
        client.add_order(shop.service, "https://example.com/without", 1000)


def test_babismm_orders_and_follows(shop: Shop) -> None:
    with SMM(shop.url, shop.key) as client:
        assert _row(client.get_services(), shop.service)["type"] == "Default"
        wish = {"link": "https://example.com/babismm", "quantity": 500, "request_id": "babismm-1"}
        order = client.add_order(shop.service, **wish)["order"]
        assert client.add_order(shop.service, **wish)["order"] == order
        until(lambda: client.get_status(order)["status"] == "completed")
        assert client.get_multi_status([order])[order]["charge"] == "1.00"
        [row] = client.cancel_orders([order])
        assert row == {"order": order, "error": "Order cannot be cancelled"}
        refill = client.create_refill(order)["refill"]
        assert client.get_refill_status(refill)["status"] in {"pending", "in_progress", "completed"}
        assert set(client.get_balance()) == {"balance", "currency"}
        with pytest.raises(SMMNetworkError, match="400"):
            client.add_order(shop.service, "https://example.com/without", 500)
