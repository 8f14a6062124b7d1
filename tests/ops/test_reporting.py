"""Errors are reported to a receiver that speaks Sentry's protocol: without people, bodies, variables or secrets."""

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from panelry import settings as panelry_settings
from panelry.domain.accounts import rules
from panelry.ops import reporting
from panelry.settings import InvalidSetting

KEY = rules.key_from(987654321**7)
PROGRAM = """
import logging, sys, threading
import structlog
from panelry import settings
from panelry.ops import logs
logs.configure(settings.load())
log = structlog.get_logger("panelry.test")
local_secret = "never" + "-to-be-sent"
structlog.contextvars.bind_contextvars(request_id="req_1")
log.info("nothing", key="x")
log.warning("not_yet")
try:
    raise ValueError("a bug with " + sys.argv[1])
except ValueError:
    log.exception("request_failed", body="key=" + sys.argv[1])
log.error("limits_alone", error="redis://:hunter2@cache")
logging.getLogger("uvicorn.error").error("Exception in ASGI application %s", sys.argv[1], exc_info=ZeroDivisionError("library"))
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()
raise RuntimeError("uncaught " + sys.argv[1])
"""


@dataclass
class Receiver:
    """Plays the endpoint to which envelopes are sent."""

    port: int
    events: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    authorised: list[str] = field(default_factory=list)

    @property
    def dsn(self) -> str:
        return f"http://public@127.0.0.1:{self.port}/42"


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            assert self.path == "/api/42/envelope/"
            receiver.raw.append(body)
            receiver.authorised.append(self.headers["X-Sentry-Auth"])
            lines = body.split(b"\n")
            for header, payload in zip(lines[1::2], lines[2::2], strict=False):
                if header and json.loads(header)["type"] == "event":
                    receiver.events.append(json.loads(payload))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=False,
        env=panelry_settings.child_environment(**environment),
    )  # fmt: skip


def test_errors_are_reported_and_nothing_that_is_nobodys_business() -> None:
    with receiving() as receiver:
        ended = run(PROGRAM, KEY, PANELRY_SENTRY_DSN=receiver.dsn)
    assert ended.returncode == 1
    told = [
        event["exception"]["values"][-1]["type"] if "exception" in event else event["message"]
        for event in receiver.events
    ]
    assert sorted(told) == sorted(
        ["ValueError", "limits_alone", "ZeroDivisionError", "ZeroDivisionError", "RuntimeError"]
    )
    [bug] = [event for event in receiver.events if "a bug with" in json.dumps(event)]
    assert bug["tags"]["request_id"] == "req_1"
    assert bug["release"].startswith("panelry@")
    assert bug["contexts"]["log"]["event"] == "request_failed"
    assert bug["exception"]["values"][-1]["stacktrace"]["frames"]
    for raw in receiver.raw:
        for secret in (
            KEY[12:],
            "hunter2",
            "never-to-be-sent",
            '"vars"',
            '"user"',
            '"request":',
            '"server_name"',
        ):
            assert secret.encode() not in raw
    assert all("sentry_key=public" in header for header in receiver.authorised)
    assert KEY[12:] not in ended.stderr
    assert "hunter2" not in ended.stderr
    assert [json.loads(line)["event"] for line in ended.stderr.splitlines()] == [
        "nothing", "not_yet", "request_failed", "limits_alone", f"Exception in ASGI application {KEY[:12]}[hidden]",
        "uncaught", "uncaught",
    ]  # fmt: skip


def test_without_a_dsn_nothing_is_reported() -> None:
    with receiving() as receiver:
        run(PROGRAM, KEY, PANELRY_SENTRY_DSN="")
    assert receiver.raw == []


def test_a_receiver_that_is_away_keeps_nobody(folder: Path) -> None:
    ended = run(PROGRAM, KEY, PANELRY_SENTRY_DSN="http://public@127.0.0.1:9/1")
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) >= 7


def test_a_dsn_without_the_package_is_refused_with_what_to_do() -> None:
    program = (
        "import sys\n"
        "sys.modules['sentry_sdk'] = None\n"  # as if it were not installed
        "from panelry.ops import cli\n"
        "sys.argv[1:] = ['work']\n"
        "cli.main()\n"
    )
    ended = run(program, PANELRY_SENTRY_DSN="https://public@sentry.example.com/1")
    assert ended.returncode == 1
    assert "pip install 'panelry[sentry]'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_a_dsn_nothing_is_in_the_way_of_logging() -> None:
    assert reporting.start(panelry_settings.load({})) == []


@pytest.mark.parametrize(
    "dsn", ["https://sentry.example.com/1", "public@sentry.example.com/1", "https://a@b/c"]
)
def test_a_dsn_that_is_none_is_refused_by_name(dsn: str) -> None:
    with pytest.raises(InvalidSetting, match="PANELRY_SENTRY_DSN"):
        panelry_settings.load({"PANELRY_SENTRY_DSN": dsn})
