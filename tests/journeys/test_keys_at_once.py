"""Two processes serve the API on one database: what happens to a key counts for the very next request to each."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import pytest
from panels import Panel, panel, until

import servers
from connectors import sandboxes

CUSTOMER = "customer@example.com"
REFUSED = (400, {"error": "Invalid API key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A panel, the two doors to it, and a service to order."""

    panel: Panel
    doors: list[Panel]
    service: int

    def warm(self, key: str) -> None:
        """Let both processes learn all that they keep about a key."""
        for number, door in enumerate(self.doors):
            door.add(key, self.service, f"{key[:12]}-{number}", quantity=10)
            assert [door.call(key, action)[0] for action in ("balance", "services")] == [200, 200]

    def answers(self, key: str) -> list[object]:
        """Say what each process answers to every kind of request with a key, the first one first."""
        order = {
            "service": self.service,
            "link": "https://example.com/1",
            "quantity": 10,
            "request_id": f"{key[:12]}-0",
        }
        return [
            answer
            for door in self.doors
            for answer in (
                door.call(key, "add", **order),
                door.call(key, "balance"),
                door.call(key, "services"),
            )
        ]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        sandbox = stack.enter_context(sandboxes.running(folder / "sandbox.jsonl"))
        one = stack.enter_context(panel(folder / "data"))
        one.customer(CUSTOMER)
        one.provider("Sandbox", sandbox.url)
        services = one.services("Sandbox", "1")
        other = replace(one, port=servers.free_port(), process=None)
        process = other.spawn("serve", "--only", "api", "--listen", f"127.0.0.1:{other.port}")
        stack.callback(_end, process)
        until(lambda: other.call("nonsense", "balance") == REFUSED)
        yield Pair(panel=one, doors=[one, other], service=services["1"])


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=30)


def test_a_revoked_key_is_refused_by_the_very_next_request_to_each_process(pair: Pair) -> None:
    made = pair.panel.cli("key", "create", CUSTOMER)
    pair.warm(made["key"])
    pair.panel.cli("key", "revoke", made["prefix"])
    assert pair.answers(made["key"]) == [REFUSED] * 6


def test_the_old_value_of_a_rotated_key_is_refused_and_the_new_one_works_at_once(pair: Pair) -> None:
    made = pair.panel.cli("key", "create", CUSTOMER)
    pair.warm(made["key"])
    rotated = pair.panel.cli("key", "rotate", made["prefix"])
    assert pair.answers(made["key"]) == [REFUSED] * 6
    pair.warm(rotated["key"])


def test_a_suspended_account_is_turned_away_by_the_very_next_request_to_each_process(pair: Pair) -> None:
    made = pair.panel.cli("key", "create", CUSTOMER)
    pair.warm(made["key"])
    pair.panel.cli("account", "suspend", CUSTOMER)
    assert pair.answers(made["key"]) == [(403, {"error": "Account suspended"})] * 6
    pair.panel.cli("account", "resume", CUSTOMER)
    pair.warm(made["key"])


def test_a_change_of_tier_shows_in_the_very_next_price_list_and_charge_of_each_process(pair: Pair) -> None:
    email = "agency@example.com"
    key = pair.panel.customer(email, credit="100")
    pair.panel.cli("tier", "set", "Agency", "--discount", "7")
    for round_, (tier, rate) in enumerate([("Standard", "1.00"), ("Agency", "0.93"), ("Standard", "1.00")]):
        pair.panel.cli("account", "tier", email, tier)
        for number, door in enumerate(pair.doors):
            [row] = door.call(key, "services")[1]
            order = door.add(key, pair.service, f"{round_}-{number}", quantity=1000)
            assert (row["rate"], door.status(key, [order])[order]["charge"]) == (rate, rate)
    pair.panel.cli("tier", "set", "Agency", "--discount", "0")


def test_the_last_use_shows_soon_after_it(pair: Pair) -> None:
    made = pair.panel.cli("key", "create", CUSTOMER)

    def last_use() -> object:
        rows = pair.panel.cli("key", "list", CUSTOMER)["keys"]
        return next(row["last_used_at"] for row in rows if row["prefix"] == made["prefix"])

    assert last_use() is None
    pair.doors[1].call(made["key"], "balance")
    until(last_use, seconds=30)
