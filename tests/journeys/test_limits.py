"""Real API processes and their limits: alone, together over one Valkey, while that is away, and afterwards."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from panels import Panel, clear_away, panel, until

import minutes
import servers
from panelry.database import postmaster
from valkeys import PASSWORD, Valkey

KEY_LIMIT = 60
LIMITED = {"PANELRY_LIMITS": "on", "PANELRY_IP_PER_MINUTE": "100000"}
WRONG = (400, {"error": "Invalid API key"})


@pytest.fixture
def data() -> Iterator[Path]:
    with servers.open_folder() as folder:
        yield folder / "data"


def limited_key(one: Panel) -> str:
    """Make an account with a key of a limit of its own."""
    email = f"{uuid4().hex}@example.com"
    one.cli("account", "create", email)
    return str(one.cli("key", "create", email, "--per-minute", str(KEY_LIMIT))["key"])


@contextmanager
def serving(one: Panel, *more: str) -> Iterator[Panel]:
    """Run one more `panelry serve` on the database of a panel."""
    other = replace(one, port=servers.free_port())
    log = one.log.with_suffix(f".{other.port}")
    with log.open("w") as stderr:
        process = subprocess.Popen(
            other._command(["serve", "--listen", f"127.0.0.1:{other.port}", *more]),
            stderr=stderr, env=other._environment(), cwd="/",
        )  # fmt: skip
    try:
        other.process = process  # type: ignore[assignment]
        until(lambda: process.poll() is not None or other.call("nobody", "balance")[0] in (400, 404))
        assert process.poll() is None, log.read_text()
        yield other
    finally:
        process.kill()
        process.wait()


def crowd(panels: Sequence[Panel], key: str, calls: int) -> int:
    """Call each panel so often, all at once; return how many calls were let through."""

    def call(one: Panel) -> int:
        return one.call(key, "status", orders="x")[0]

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(call, [one for _ in range(calls) for one in panels]))
    assert set(answers) <= {200, 429}
    return answers.count(200)


def events(one: Panel) -> list[str]:
    return [line["event"] for line in one.lines()]


def test_a_second_api_process_is_refused_and_what_counts_nothing_is_not(data: Path) -> None:
    with panel(data, settings=LIMITED) as one:
        for arguments in (["serve"], ["serve", "--only", "api"]):
            result = one.run(*arguments, "--listen", f"127.0.0.1:{servers.free_port()}", "--json")
            assert result.code == 1
            assert "PANELRY_VALKEY_URL" in result.value["error"]
        same = {**LIMITED, "DATABASE_URL": postmaster.url(one.cluster, "panelry")}
        elsewhere = Panel(data=data.with_name("elsewhere"), settings=same)
        result = elsewhere.run("up", "--listen", f"127.0.0.1:{elsewhere.port}", "--json")
        assert (result.code, "PANELRY_VALKEY_URL" in result.value["error"]) == (1, True), result
        with ExitStack() as stack:
            pages = replace(one, port=servers.free_port())
            process = pages.spawn("serve", "--only", "web", "--listen", f"127.0.0.1:{pages.port}")
            stack.callback(process.wait)
            stack.callback(process.kill)
            until(
                lambda: (
                    process.poll() is not None
                    or socket.create_connection(("127.0.0.1", pages.port)).close() is None
                ),
                seconds=20,
            )
            assert process.poll() is None
        for _ in range(2):
            one.until_restarted("serve", one.kill("serve"))
            until(lambda: one.call("nobody", "balance") == WRONG, seconds=15)
        one.stop(signal.SIGKILL)
        again = one.started()
        assert again == {"address": one.address}


@pytest.mark.timeout(300)  # whole minutes have to pass
def test_two_processes_allow_exactly_the_limit_together_and_about_it_while_valkey_is_away(
    data: Path, shared: Valkey
) -> None:
    settings = {**LIMITED, "PANELRY_VALKEY_URL": shared.url}
    with panel(data, settings=settings) as one, serving(one) as other:
        both = (one, other)
        key, second, third = (limited_key(one) for _ in range(3))
        minutes.with_left(15)
        assert crowd(both, key, 10) == 20
        assert crowd(both, key, 50) == KEY_LIMIT - 20
        assert crowd(both, key, 5) == 0

        minutes.with_left(15)
        assert crowd(both, second, 10) == 20
        shared.kill()
        began = time.monotonic()
        more = crowd(both, second, 50)
        assert time.monotonic() - began < 10
        assert more == KEY_LIMIT - 20
        until(lambda: "limits_alone" in events(one), seconds=5)
        shared.start()

        until(lambda: "limits_shared_again" in events(one), seconds=75)
        time.sleep(1.5)
        minutes.with_left(15)
        assert crowd(both, third, 50) == KEY_LIMIT
        assert PASSWORD not in one.log.read_text()


def test_a_process_that_was_killed_is_followed_at_once(data: Path) -> None:
    one = Panel(data=data, settings=LIMITED)
    one.cli("account", "create", "somebody@example.com")
    try:
        for _ in range(3):
            began = time.monotonic()
            with serving(one):  # which ends with kill -9
                took = time.monotonic() - began
            assert took < 8
    finally:
        clear_away(one)
