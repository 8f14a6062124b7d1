"""What is measured over HTTP are right answers, every one of them stored, or there are no figures."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final
from urllib.parse import parse_qs

import pytest
from small import TAMPERED, measured

from panelry import settings as panelry_settings
from panelry.ops.bench.wrk import Requests, load
from panelry.ops.session import CommandFailed


@pytest.fixture(autouse=True)
def _wrk() -> None:
    if shutil.which("wrk") is None:
        assert panelry_settings.child_environment().get("CI") != "true", "run tests/install-system-packages"
        pytest.skip("no wrk: run tests/install-system-packages")


SMALL: Final = {"seconds": 1, "callers": 8, "accounts": 5, "services": 120, "scale": 1}


def test_the_api_is_measured_beside_pgbench_and_beside_a_bare_server(folder: Path) -> None:
    result = measured("http", folder, **SMALL)
    assert result["verified"] is True
    for name in ("add", "add_64"):
        ratio = result[name]["per_second"] / result["pgbench_per_second"]
        assert result[name]["ratio_to_pgbench"] == pytest.approx(ratio, abs=0.01)
    for name in ("status", "status100", "services"):
        ratio = result[name]["per_second"] / result[name]["bare_per_second"]
        assert result[name]["ratio_to_bare"] == pytest.approx(ratio, abs=0.01)
    for name in ("add", "add_64", "status", "status100", "services"):
        assert 0 < result[name]["p50_ms"] <= result[name]["p99_ms"]
    assert result["status100"]["orders_per_second"] > 0
    assert result["memory_mb"].keys() == {"benchmark", "api", "placing", "postgresql"}
    assert list(folder.iterdir()) == []


def test_where_the_books_are_wrong_there_are_no_figures(folder: Path) -> None:
    result = measured("http", folder, spoil=TAMPERED, **SMALL)
    assert result["verified"] is False
    assert "charge" in result["wrong"][0]


def test_where_an_acknowledged_order_is_missing_there_are_no_figures(folder: Path) -> None:
    result = measured("http", folder, counts=False, **SMALL)
    assert result.keys() == {"reason", "verified"}
    assert result["reason"].endswith(" orders were acknowledged, 0 are stored")


def test_where_calls_are_refused_there_are_no_figures(folder: Path) -> None:
    result = measured("http", folder, per_minute=20, **SMALL)
    assert result["verified"] is False
    assert result["wrong"][0].endswith('the first: 429 {"error":"Rate limit exceeded"}')


def test_without_wrk_it_says_at_once_how_to_get_it(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "panelry", "bench", "http", "--json", "--data", str(folder / "data")],
        env=panelry_settings.child_environment(PATH=""), capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    said = "wrk is not installed: apt install wrk, dnf install wrk, or brew install wrk"
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"error": said}
    assert done.stderr == f"panelry: {said}\n"
    assert not (folder / "data").exists()


class Answering(ThreadingHTTPServer):
    """Answers everything alike, and keeps what was asked."""

    def __init__(self, answer: bytes, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.status = status
        self.bodies: list[str] = []
        self.types: set[str | None] = set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(body.decode())
        self.server.types.add(self.headers["Content-Type"])
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        pass


@contextmanager
def answering(answer: bytes, status: int = 200) -> Iterator[tuple[Answering, str]]:
    with Answering(answer, status) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server, f"http://127.0.0.1:{server.server_address[1]}/api/v2"
        server.shutdown()


def test_every_request_of_a_load_is_sent_in_turn_and_each_has_its_own_text() -> None:
    asked = Requests(bodies=["a=1&request_id=@", "a=2&request_id=@&b=3"], right=b"{}")
    with answering(b"{}") as (server, url):
        first = load(url, asked, callers=2, seconds=1)
        second = load(url, asked, callers=2, seconds=1)
    sent = [parse_qs(body) for body in server.bodies]
    assert len({one["request_id"][0] for one in sent}) == len(sent)
    assert {"b" in one for one in sent} == {False, True}
    assert all(("b" in one) == (one["a"] == ["2"]) for one in sent)
    assert server.types == {"application/x-www-form-urlencoded"}
    answered = first.answered + second.answered
    assert answered <= len(sent) <= answered + first.cut_off + second.cut_off


LONG = b'{"ord_%s":"' + b"x" * 2_000 + b'"}'
ID = b"0" * 26


@pytest.mark.parametrize(
    ("right", "answer"),
    [
        (b'{"order":"ord_"}', b'{"order":"ord_' + ID + b'"}'),
        (LONG % b"", LONG % ID),
        (b'{"status":"pending"}', b'{"status":"pending"}'),
        (b"\x1f\x8b\0\n\r\xff", b"\x1f\x8b\0\n\r\xff"),
    ],
)
def test_an_answer_is_right_whatever_ids_of_orders_stand_in_it(right: bytes, answer: bytes) -> None:
    with answering(answer) as (_, url):
        assert load(url, Requests(bodies=["a=1"], right=right), callers=2, seconds=1).answered > 0


@pytest.mark.parametrize(
    ("right", "answer", "status"),
    [
        (b'{"order":"ord_"}', b'{"order":"ord_' + ID + b'"}', 202),
        (b'{"order":"ord_"}', b'{"error":"Internal error"}', 200),
        (b'{"order":"ord_"}', b'{"ordre":"ord_' + ID + b'"}', 200),
        (LONG % b"", LONG.replace(b"x" * 9, b"y" * 9) % ID, 200),
        (LONG % b"", LONG % ID + b" ", 200),
    ],
)
def test_one_wrong_answer_and_there_are_no_figures(right: bytes, answer: bytes, status: int) -> None:
    with (
        answering(answer, status) as (_, url),
        pytest.raises(CommandFailed, match="answers were wrong") as failed,
    ):
        load(url, Requests(bodies=["a=1"], right=right), callers=2, seconds=1)
    assert failed.value.value is not None
    assert str(status) in failed.value.value["wrong"][0]


def test_a_server_that_is_not_there_gives_no_figures() -> None:
    with pytest.raises(CommandFailed, match="unable to connect"):
        load("http://127.0.0.1:9/api/v2", Requests(bodies=["a=1"], right=b""), callers=1, seconds=1)
