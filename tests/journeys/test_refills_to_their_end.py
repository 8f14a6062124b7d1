"""A customer's refill over Panelry to a provider and back, and what cannot be refilled."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import pytest
from panels import QUICK, Panel, panel, until

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A panel that buys from a sandbox, with one customer: 100.00, of which two orders cost 2.00."""

    panel: Panel
    sandbox: Upstream
    key: str
    dropped: str
    not_refilled: str

    def call(self, action: str, **fields: str) -> tuple[int, Any]:
        return self.panel.call(self.key, action, **fields)

    def status(self, order: str) -> Any:
        return self.panel.status(self.key, [order])[order]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with (
        servers.open_folder() as folder,
        sandboxes.running(folder / "sandbox.jsonl", speed=20) as sandbox,
        panel(folder / "data", settings=QUICK) as one,
    ):
        one.provider("Sandbox", sandbox.url)
        services = one.services("Sandbox", "10,15")
        key = one.customer(credit="100")
        dropped, not_refilled = (one.add(key, services[s], f"order-{s}") for s in ("10", "15"))
        made = Stage(panel=one, sandbox=sandbox, key=key, dropped=dropped, not_refilled=not_refilled)
        until(lambda: made.status(not_refilled)["status"] == "completed")
        until(lambda: made.status(dropped)["remains"] == "200")
        yield made


@pytest.fixture(scope="module")
def refill(stage: Stage) -> str:
    """Have eight callers ask for the same refill at once, and return the one that is given."""
    start = Barrier(8)

    def ask(_: int) -> tuple[int, Any]:
        start.wait(30)
        return stage.call("refill", order=stage.dropped)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    [given] = [answer["refill"] for code, answer in answers if code == 200]
    refused = [answer for code, answer in answers if code == 400]
    assert refused == [{"error": "A refill is already pending"}] * 7
    return str(given)


def test_a_refill_restores_what_dropped(stage: Stage, refill: str) -> None:
    until(lambda: stage.call("refill_status", refill=refill) == (200, {"status": "completed"}))
    until(lambda: stage.status(stage.dropped)["remains"] == "0")
    asked = [line["refill"] for line in stage.sandbox.lines() if "refill" in line]
    assert len(asked) == 1


def test_a_service_without_refill_is_not_refilled(stage: Stage, refill: str) -> None:
    error = "Refill is not available for this service"
    assert stage.call("refill", order=stage.not_refilled) == (400, {"error": error})
    assert stage.call("refill", orders=stage.not_refilled) == (
        200, [{"order": stage.not_refilled, "error": error}],
    )  # fmt: skip


def test_staff_see_the_refill_with_its_order(stage: Stage, refill: str) -> None:
    until(lambda: stage.call("refill_status", refill=refill)[1] == {"status": "completed"})
    [shown] = stage.panel.cli("order", "show", stage.dropped)["refills"]
    assert (shown["refill"], shown["provider"], shown["state"]) == (refill, "Sandbox", "completed")
    assert shown["upstream_id"]


def test_a_refill_costs_nothing(stage: Stage, refill: str) -> None:
    assert stage.status(stage.dropped)["charge"] == "1.00"
    assert stage.call("balance") == (200, {"balance": "98.00", "currency": "USD"})
    books = stage.panel.cli("ledger", "verify")
    assert (books["wrong"], books["transfers"]) == ([], 3)


def test_the_log_holds_no_traceback(stage: Stage, refill: str) -> None:
    assert not [line for line in stage.panel.lines() if "exception" in line]
