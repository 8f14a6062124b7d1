"""`panelry up`: it starts in a moment, stops within ten seconds, and never leaves a process behind."""

import os
import pwd
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from panels import Panel, clear_away, panel, until

import servers
from connectors import sandboxes
from panelry import clock
from panelry import settings as panelry_settings

STOP_SECONDS = 10.0
ORDINARY = "nobody"


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data directory that was used before; its path has a space."""
    with servers.open_folder() as folder:
        place = folder / "the data"
        with panel(place) as one:
            one.stop()
        yield place


@pytest.fixture
def seller(data: Path) -> Iterator[Panel]:
    """A panel that is not started yet, and of which nothing is left afterwards."""
    one = Panel(data=data)
    one.log.unlink(missing_ok=True)
    yield one
    clear_away(one)


def test_a_warm_start_says_one_thing_and_is_ready(seller: Panel) -> None:
    began = clock.monotonic()
    said = seller.started()
    sys.stderr.write(f"\na warm start took {clock.monotonic() - began:.2f} s\n")
    assert said == {"address": seller.address}
    assert seller.call("nobody", "balance") == (400, {"error": "Invalid API key"})
    took = seller.stop()
    assert took < STOP_SECONDS
    assert seller.process
    assert seller.process.stdout
    assert seller.process.stdout.read() == ""
    assert seller.process.returncode == 0
    assert seller.left() == []


def test_ctrl_c_stops_everything(seller: Panel) -> None:
    process = seller.start()
    until(lambda: seller.call("nobody", "balance")[0] == 400)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(STOP_SECONDS) == 0
    assert seller.left() == []


def test_a_signal_while_it_starts_stops_it_too(seller: Panel) -> None:
    process = seller.start()
    until(lambda: seller.cluster.joinpath("postmaster.pid").exists())
    assert seller.stop() < STOP_SECONDS
    assert process.returncode == 0
    assert seller.left() == []


def test_a_killed_up_leaves_nothing_behind(seller: Panel) -> None:
    seller.started()
    seller.stop(signal.SIGKILL)
    until(lambda: not seller.left(), seconds=20)


def test_parts_that_die_are_started_again(seller: Panel) -> None:
    seller.started()
    for part in ("serve", "work"):
        seller.until_restarted(part, seller.kill(part))
    until(lambda: seller.call("nobody", "balance")[0] == 400)


def test_a_call_that_hangs_does_not_delay_the_end(seller: Panel, folder: Path) -> None:
    with sandboxes.running(folder / "sandbox.jsonl") as sandbox:
        seller.started()
        seller.provider("Sandbox", sandbox.url)
        service = seller.services("Sandbox", "6")["6"]
        order = seller.add(seller.customer(), service, "hangs")
        until(sandbox.lines)
        assert seller.stop() < STOP_SECONDS
    assert seller.left() == []
    [submission] = seller.cli("order", "show", order)["submissions"]
    assert submission["state"] == "unknown"
    assert "stopped while the call was under way" in submission["evidence"][-1]["note"]


def test_a_port_in_use_is_refused_with_the_reason(seller: Panel) -> None:
    with socket.create_server(("127.0.0.1", seller.port)):
        result = seller.run("up", "--listen", f"127.0.0.1:{seller.port}", "--json")
    assert result.code == 1
    assert "Address already in use" in result.value["error"]
    assert "Traceback" not in result.err
    assert seller.left() == []


def test_a_second_up_on_the_same_data_is_refused(seller: Panel) -> None:
    seller.started()
    result = seller.run("up", "--listen", "127.0.0.1:0", "--json")
    assert result.code == 1
    assert "another `panelry up` runs" in result.value["error"]
    assert seller.call("nobody", "balance")[0] == 400


def test_words_tell_the_address_the_danger_and_what_to_do_next(seller: Panel) -> None:
    process = seller.start(json=False)
    assert process.stdout
    words = "".join(iter(process.stdout.readline, "Ctrl-C stops it.\n"))
    for part in (
        seller.address,
        "DEVELOPMENT MODE",
        f"PANELRY_DATA='{seller.data}'",
        "account create",
        "curl -s http://",
    ):
        assert part in words
    assert "development_mode" in [line["event"] for line in seller.lines()]


def test_wrong_usage_is_told_apart_from_refusals(seller: Panel) -> None:
    result = seller.run("up", "--listen", "nowhere", "--json")
    assert (result.code, result.value) == (2, {"error": "wrong usage"})
    assert "HOST:PORT" in result.err


def test_it_works_on_another_server(seller: Panel) -> None:
    name = f"up_{uuid4().hex}"
    server = panelry_settings.child_environment()["PANELRY_TEST_SERVER"]
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        seller.data = seller.data.with_name("no cluster")
        seller.settings = {"DATABASE_URL": servers.on(server, name)}
        refused = seller.run("ledger", "verify", "--json")
        assert refused.code == 1
        assert "panelry migrate" in refused.value["error"]
        seller.started()
        seller.customer("elsewhere@example.com")
        assert seller.cli("ledger", "verify")["wallets"] == 1
        assert not (seller.data / "postgres").exists()
        assert seller.stop() < STOP_SECONDS
        assert seller.left() == []
    finally:
        clear_away(seller)
        with psycopg.connect(server, autocommit=True) as conn:
            conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://nobody:hidden@127.0.0.1:9/panelry", "cannot be reached"),
        ("postgres//nobody:hidden@127.0.0.1:9/panelry", "not the address of a PostgreSQL database"),
    ],
)
def test_a_database_that_is_not_there_is_a_reason_not_a_traceback(
    seller: Panel, url: str, reason: str
) -> None:
    seller.settings = {"DATABASE_URL": url}
    result = seller.run("up", "--listen", "127.0.0.1:0", "--json")
    assert result.code == 1
    assert reason in result.value["error"]
    assert "hidden" not in result.out + result.err
    assert "Traceback" not in result.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_an_ordinary_user_runs_it_without_root(folder: Path) -> None:
    if not _can_run(ORDINARY):
        pytest.skip("the interpreter stands where ordinary users cannot reach it")
    entry = pwd.getpwnam(ORDINARY)
    home = folder / "home"
    home.mkdir()
    os.chown(home, entry.pw_uid, entry.pw_gid)
    one = Panel(data=home / "data", user=ORDINARY)
    try:
        one.started()
        assert {process.stat().st_uid for process in map(_process, one.left())} == {entry.pw_uid}
        assert one.stop() < STOP_SECONDS
        assert one.left() == []
    finally:
        clear_away(one)


def test_demonstration_data_is_made_once(folder: Path) -> None:
    with panel(folder / "data", "--demo") as one:
        first = _orders(one)
        one.stop()
        again = one.started("--demo")
        assert _orders(one) == first > 0
        assert again["curl"].startswith(f"curl -s {one.address}")
        assert one.call(again["key"], "balance")[0] == 200


def _orders(one: Panel) -> int:
    with one.connect() as conn:
        return int(conn.execute("SELECT count(*) FROM orders").fetchall()[0][0])


def _process(pid: int) -> Path:
    return Path(f"/proc/{pid}")


def _can_run(user: str) -> bool:
    probe = Panel(data=Path("/nonexistent"), user=user)
    try:
        return probe.run("--help").code in {0, 2}
    except OSError:
        return False
