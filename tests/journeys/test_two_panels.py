"""A panel that buys from another panel: a killed engine's order is completed by asking again with the same request id."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from holding import Holding, holding
from panels import Panel, panel, until

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream

# A call may take long enough to be killed in, and what was killed is soon asked about.
SETTINGS = {"PANELRY_PROVIDER_TOTAL_SECONDS": "5", "PANELRY_LEASE_SECONDS": "10.5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """customer → first → proxy → second → sandbox."""

    first: Panel
    second: Panel
    sandbox: Upstream
    proxy: Holding
    key: str
    service: int


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        sandbox = stack.enter_context(sandboxes.running(folder / "sandbox.jsonl", speed=20))
        second = stack.enter_context(panel(folder / "second"))
        first = stack.enter_context(panel(folder / "first", settings=SETTINGS))
        second.provider("Sandbox", sandbox.url)
        theirs = second.services("Sandbox", "1", markup="10")
        their_key = second.customer("first@example.com", credit="50")
        address, proxy = stack.enter_context(holding(f"{second.address}/api/v2"))
        first.provider("Second", address, their_key, dialect="panelry")
        ours = first.services("Second", "all", markup="100")
        yield Chain(
            first=first,
            second=second,
            sandbox=sandbox,
            proxy=proxy,
            key=first.customer(credit="50"),
            service=ours[str(theirs["1"])],
        )


def _order_is(panel: Panel, key: str, order: str, status: str) -> bool:
    return bool(panel.status(key, [order])[order]["status"] == status)


def _orders_at(panel: Panel) -> list[tuple[str, str]]:
    with panel.connect() as conn:
        return conn.execute("SELECT link, state FROM orders ORDER BY created_at").fetchall()


def test_an_engine_killed_between_sending_and_answering_buys_once(chain: Chain) -> None:
    chain.proxy.hold.set()
    order = chain.first.add(chain.key, chain.service, "killed")
    assert chain.proxy.answered.wait(60), "the second panel never had the order"
    chain.first.kill("work")
    chain.proxy.hold.clear()
    chain.proxy.release.set()
    until(lambda: _order_is(chain.first, chain.key, order, "completed"))

    assert len(set(chain.proxy.request_ids)) == 1
    assert len(chain.proxy.request_ids) >= 2, "it was not asked again"
    assert _orders_at(chain.second) == [("https://example.com/killed", "completed")]
    assert [line["link"] for line in chain.sandbox.lines()] == ["https://example.com/killed"]
    [submission] = chain.first.cli("order", "show", order)["submissions"]
    assert submission["state"] == "accepted"
    assert chain.first.cli("submissions")["submissions"] == []


def test_both_panels_took_their_price_and_their_books_are_right(chain: Chain) -> None:
    order = chain.first.add(chain.key, chain.service, "undisturbed")
    until(lambda: _order_is(chain.first, chain.key, order, "completed"))
    assert chain.first.cli("order", "show", order)["kept"] == "2.20"
    assert [link for link, _ in _orders_at(chain.second)].count("https://example.com/undisturbed") == 1
    for one in (chain.first, chain.second):
        assert one.cli("ledger", "verify")["wrong"] == []
