"""Every example of the documentation does on a running panel what stands beside it, in each of its languages."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from examples import RUNNERS, assert_alike
from panels import Panel, panel, until

import receivers
import servers
from api.documented import RECEIVERS, receiving
from connectors import sandboxes
from panelry.contract import ACTIONS, Kind, Needed
from panelry.web.site.developers import samples
from panelry.web.site.developers.examples import EXAMPLES
from panelry.web.site.developers.texts import program

AT_ONCE, BY_HAND, PACKAGE = "1", "11", "21"
"""Services of the sandbox: one completes at once and can be refilled, one stays under way, one is sold as a package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A panel that sells what the examples order, one customer of it, and a receiver for what it tells."""

    panel: Panel
    key: str
    services: dict[str, int]
    hooks: receivers.Receivers

    def ask(self, action: str, *, key: str = "", **fields: object) -> Any:
        """Call what must succeed."""
        status, answer = self.panel.call(key or self.key, action, **fields)
        assert status == 200, answer
        return answer

    def another_key(self) -> str:
        """Make one more key of the same account."""
        return str(self.panel.cli("key", "create", "customer@example.com")["key"])

    def ordered(self, service: str, *names: str, ends: bool = True) -> list[str]:
        """Order something for each name, and wait until all are completed, or under way."""
        waited = {"completed"} if ends else {"processing", "in_progress"}
        placed = [self.panel.add(self.key, self.services[service], name) for name in names]
        until(lambda: all(one["status"] in waited for one in self.panel.status(self.key, placed).values()))
        return placed


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        sandbox = stack.enter_context(sandboxes.running(folder / "sandbox.jsonl", speed=20))
        hooks = stack.enter_context(receivers.receiving({"hook": receivers.takes}))
        one = stack.enter_context(panel(folder / "panel"))
        one.provider("Sandbox", sandbox.url)
        services = one.services("Sandbox", f"{AT_ONCE},{BY_HAND},{PACKAGE}")
        yield Shop(panel=one, key=one.customer(credit="5000"), services=services, hooks=hooks)


def real(shop: Shop, language: str, key: str) -> dict[str, dict[str, str]]:
    """Return for each example what stands in the place of its ids and addresses."""
    under_way = shop.ordered(BY_HAND, f"{language}-1", f"{language}-2", ends=False)
    done, dropped, dropped_too = shop.ordered(AT_ONCE, *(f"{language}-{n}" for n in range(3, 6)))
    refill = shop.ask("refill", order=dropped)["refill"]
    hook = shop.ask("webhook.add", key=key, url=shop.hooks.url("hook"))["webhook"]
    service = str(shop.services[AT_ONCE])
    return {
        "add": {"service": service, "request_id": f"{language}-add"},
        "drip-feed": {"service": service, "request_id": f"{language}-drip-feed"},
        "status": {"order": under_way[0]},
        "status-list": {"orders": f"{under_way[0]},{done}"},
        "refill": {"order": done},
        "refill-list": {"orders": f"{under_way[0]},{dropped_too}"},
        "refill_status": {"refill": refill},
        "cancel": {"order": under_way[0]},
        "cancel-list": {"orders": f"{under_way[1]},{done}"},
        "webhook.add": {"url": shop.hooks.url("hook")},
        "webhook.test": {"webhook": hook},
        "webhook.remove": {"webhook": hook},
    }


@pytest.mark.parametrize("language", samples.LANGUAGES)
def test_every_example_is_answered_as_it_shows(shop: Shop, folder: Path, language: str) -> None:
    ending, run = RUNNERS[language]
    key = shop.another_key()
    places = real(shop, language, key)
    programs = []
    for name, example in EXAMPLES.items():
        places.setdefault(name, {})
        assert places[name].keys() <= example.fields.keys()
        fields = example.sent | places[name]
        programs.append(folder / f"{name}.{ending}")
        programs[-1].write_text(samples.LANGUAGES[language][1](f"{shop.panel.address}/api/v2", fields))
    answers = run(programs, key)
    assert answers.keys() == EXAMPLES.keys()
    for name, example in EXAMPLES.items():
        assert_alike(answers[name], example.answer, name)
    lists = ("refill-list", "cancel-list")
    assert [[list(row) for row in answers[name]] for name in lists] == [
        [list(row) for row in EXAMPLES[name].answer] for name in lists
    ]
    placed = shop.ask("status", orders=f"{answers['add']['order']},{answers['drip-feed']['order']}")
    assert [one.get("runs") for one in placed.values()] == [None, "5"]


@pytest.mark.parametrize("language", samples.LANGUAGES)
def test_an_example_that_is_refused_says_why(shop: Shop, folder: Path, language: str) -> None:
    ending, run = RUNNERS[language]
    file = folder / f"refused.{ending}"
    file.write_text(samples.LANGUAGES[language][1](f"{shop.panel.address}/api/v2", EXAMPLES["add"].sent))
    wrong = "pnl_" + "0" * 49
    if language == "curl":
        assert run([file], wrong) == {"refused": {"error": "Invalid API key"}}
    else:
        with pytest.raises(AssertionError, match="Invalid API key"):
            run([file], wrong)


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_program_of_the_page_takes_what_a_panel_delivers(shop: Shop, folder: Path, name: str) -> None:
    port, key = servers.free_port(), shop.another_key()
    added = shop.ask(
        "webhook.add", key=key, url=f"http://127.0.0.1:{port}/", events="order.created,order.completed"
    )
    with receiving(name, folder, added["secret"], port) as receiver:
        [order] = shop.ordered(AT_ONCE, f"told-to-{name}")
        until(lambda: f"{order} completed 1.00" in receiver.took())
    shop.ask("webhook.remove", key=key, webhook=added["webhook"])


def test_a_delivery_is_verified_by_hand(shop: Shop, folder: Path) -> None:
    added = shop.ask("webhook.add", key=shop.another_key(), url=shop.hooks.url("hook"))
    sent = shop.ask("webhook.test", webhook=added["webhook"])["event"]
    until(lambda: any(heard.id == sent for heard in shop.hooks.heard))
    [heard] = [heard for heard in shop.hooks.heard if heard.id == sent]
    script = program("verify.sh.txt")
    for line, header in (("id", "id"), ("sent_at", "timestamp"), ("signature", "signature")):
        [old] = [text for text in script.splitlines() if text.startswith(f"{line}=")]
        script = script.replace(old, f"{line}='{heard.headers[f'webhook-{header}']}'")
    (folder / "body").write_bytes(heard.body)
    assert _verified(script, folder, added["secret"]) == "genuine"
    (folder / "body").write_bytes(heard.body.replace(b"webhook.test", b"webhook.best"))
    assert _verified(script, folder, added["secret"]) == "forged"


def _verified(script: str, folder: Path, secret: str) -> str:
    command = ["env", f"WEBHOOK_SECRET={secret}", "bash", "-c", script]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=True).stdout.strip()


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_said_to_be_required_is_and_what_is_not_is_not(shop: Shop, action: str) -> None:
    whole = EXAMPLES[action].fields
    for parameter in ACTIONS[action].parameters:
        if parameter.needed is Needed.ALWAYS:
            without = {name: value for name, value in whole.items() if name != parameter.name}
            status, answer = shop.panel.call(shop.key, action, **without)
            assert (status, answer) == (400, {"error": f"Missing required parameter: {parameter.name}"})
        elif parameter.needed is Needed.ONE_OF:
            assert parameter.kind in {Kind.ID, Kind.IDS}
            status, answer = shop.panel.call(shop.key, action)
            assert (status, answer) == (400, {"error": f"Missing parameter: {parameter.name.rstrip('s')}"})
