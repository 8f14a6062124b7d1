"""Whatever is killed under load: no acknowledged order is lost, none is bought twice, and the books stay exact."""

import http.client
import itertools
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

import pytest
from panels import QUICK, Panel, panel, until

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream

ORDERS = 300
KILLS = 10
VICTIMS = ("serve", "place", "work", "backend", "postmaster")
BACK_SECONDS = 20.0  # a loaded machine needs longer than the second that it takes
CLIENTS = 3  # each pauses a tenth of a second after an answer, so that the load lasts as long as the kills


@dataclass
class Load:
    """Clients that repeat each request until it is acknowledged, and remember what they were told."""

    panel: Panel
    key: str
    service: int
    told: dict[str, set[str]] = field(default_factory=dict)
    answers: list[float] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    given_up: threading.Event = field(default_factory=threading.Event)

    def place(self, number: int) -> None:
        request_id = f"order-{number}"
        heard = self.told.setdefault(request_id, set())
        while not self.given_up.wait(0.1):
            try:
                status, answer = self.panel.call(
                    self.key, "add", timeout=15, service=self.service, quantity=100, request_id=request_id,
                    link=f"https://example.com/{request_id}",
                )  # fmt: skip
            except (OSError, http.client.HTTPException):
                continue
            if status == 200:
                heard.add(answer["order"])
                self.answers.append(time.monotonic())
                break
            assert status in {500, 503}, answer

    def run(self) -> None:
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(self.place, range(ORDERS)))
        self.done.set()

    def was_answered_after(self, at: float) -> bool:
        return any(answer > at for answer in self.answers)

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self.given_up.set()
            thread.join()


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Panel, Upstream]]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        sandbox = stack.enter_context(sandboxes.running(folder / "sandbox.jsonl", speed=50))
        yield stack.enter_context(panel(folder / "data", settings=QUICK)), sandbox


def test_no_order_is_lost_and_none_is_bought_twice(stage: tuple[Panel, Upstream]) -> None:
    seller, sandbox = stage
    seller.provider("Sandbox", sandbox.url)
    load = Load(seller, seller.customer(credit="100"), seller.services("Sandbox", "1")["1"])
    with load.running():
        breaks = _kill_again_and_again(seller, load)
        assert load.done.wait(60), "clients were never answered"
    sys.stderr.write(f"\nafter a kill the next order was taken within {[round(b, 2) for b in breaks]} s\n")

    assert {len(ids) for ids in load.told.values()} == {1}, "a repeated request got another order"
    until(lambda: _unsettled(seller) == 0, seconds=90)
    with seller.connect() as conn:
        known = {
            r: (link, state) for r, link, state in conn.execute("SELECT request_id, link, state FROM orders")
        }
        waiting = {link for (link,) in conn.execute(
            "SELECT o.link FROM orders o JOIN submissions s ON s.order_id = o.id "
            "WHERE s.state IN ('unknown', 'quarantined')"
        )}  # fmt: skip
    assert known.keys() == load.told.keys()
    bought = Counter(line["link"] for line in sandbox.lines())
    assert set(bought.values()) == {1}
    assert bought.keys() <= {link for link, _ in known.values()}
    completed = {link for link, state in known.values() if state == "completed"}
    assert {link for link, _ in known.values()} == completed | waiting
    assert completed <= bought.keys()
    assert len(waiting) <= KILLS * 8, "more are unknown than were in flight"
    balance = seller.cli("account", "credit", "customer@example.com", "1", "--reason", "to see it")["balance"]
    assert Decimal(balance) == Decimal(101) - ORDERS * Decimal("0.10")
    assert seller.cli("ledger", "verify")["wrong"] == []


def _kill_again_and_again(seller: Panel, load: Load) -> list[float]:
    """Kill one thing after the other while orders arrive; return how long it took until the next one was taken."""
    breaks = []
    for victim in itertools.islice(itertools.cycle(VICTIMS), KILLS):
        until(lambda: seller.pid("backend"))
        seller.kill(victim)
        at = time.monotonic()
        until(partial(load.was_answered_after, at + 0.05), seconds=BACK_SECONDS)
        breaks.append(time.monotonic() - at)
        time.sleep(0.3)
    assert not load.done.is_set(), "the load ended before the kills"
    return breaks


def _unsettled(seller: Panel) -> int:
    """Count the orders that are neither completed nor waiting for a person."""
    with seller.connect() as conn:
        [count] = conn.execute(
            "SELECT count(*) FROM orders o WHERE state <> 'completed' AND NOT EXISTS "
            "(SELECT 1 FROM submissions s WHERE s.order_id = o.id AND s.state IN ('unknown', 'quarantined'))"
        ).fetchall()[0]
    return int(count)


def test_all_came_back_without_leaving_anything_behind(stage: tuple[Panel, Upstream]) -> None:
    seller, _ = stage
    assert seller.call("nobody", "balance")[0] == 400
    assert seller.stop() < 10
    until(lambda: not seller.left(), seconds=10)
