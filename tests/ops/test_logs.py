"""Lines of the log: in their order, none lost, and few writes for many."""

import asyncio
import io
import json
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from panelry import clock
from panelry.ops import logs
from panelry.ops.logs import Lines
from panelry.ops.redaction import redact_all


class Writes(io.BytesIO):
    """Keeps each write."""

    def __init__(self) -> None:
        super().__init__()
        self.each: list[bytes] = []

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.each.append(data)
        return len(data)


def test_lines_of_one_round_of_a_loop_are_written_together() -> None:
    file = Writes()
    lines = Lines(file)

    async def scene() -> None:
        lines.info(b"one")
        lines.info(b"two")
        assert file.each == []
        await asyncio.sleep(0)
        assert file.each == [b"one\ntwo\n"]
        lines.info(b"three")
        await asyncio.sleep(0)

    asyncio.run(scene())
    assert file.each == [b"one\ntwo\n", b"three\n"]


def test_a_warning_is_written_at_once_and_after_what_came_before_it() -> None:
    file = Writes()
    lines = Lines(file)

    async def scene() -> None:
        lines.info(b"one")
        lines.warning(b"two")
        assert file.each == [b"one\ntwo\n"]
        await asyncio.sleep(0)

    asyncio.run(scene())
    assert file.each == [b"one\ntwo\n"]


def test_without_a_loop_each_line_is_written_at_once() -> None:
    file = Writes()
    lines = Lines(file)
    lines.info(b"one")
    lines.info(b"two")
    assert file.each == [b"one\n", b"two\n"]


PROGRAM = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import structlog
from panelry import settings
from panelry import clock
from panelry.ops import logs
logs.configure(settings.load({}, data=Path(sys.argv[1])))
log = structlog.get_logger()

async def scene():
    with ThreadPoolExecutor(4) as threads:
        for number in range(1000):
            threads.submit((log.info, log.warning)[number % 2], "thread", number=number)
            log.info("loop", number=number, level="mine")
            if number % 100 == 0:
                await asyncio.sleep(0)
    log.info("last", number=-1)

asyncio.run(scene())
"""


def test_no_line_is_lost_whoever_writes_it_and_however_late(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, check=True, timeout=60
    )
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["number"] for line in told if line["event"] == "loop"] == list(range(1000))
    assert sorted(line["number"] for line in told if line["event"] == "thread") == list(range(1000))
    assert told[-1]["event"] == "last"
    assert {line["level"] for line in told} == {"info", "warning"}


TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        "pnl_" + "a" * 49,
        "KEY=secret",
        "redis://:hunter2@cache",
        "whsec_abc",
        "\u212aey=kelvin",
        "Password='x'",
    ]
)
VALUES = (
    st.none() | st.booleans() | st.integers() | TEXTS | st.binary(max_size=9) | st.lists(TEXTS, max_size=2)
)


@given(st.dictionaries(st.sampled_from(["event", "action", "error", "key", "text"]), VALUES))
def test_a_line_hides_what_each_of_its_fields_would_hide(event: dict[str, Any]) -> None:
    assert logs._redact(None, "info", dict(event)) == {
        name: redact_all(value) for name, value in event.items()
    }


REQUESTS = """
import json, sys
from pathlib import Path
from panelry import settings
from panelry.api import app
from panelry.ops import logs
logs.configure(settings.load({}, data=Path(sys.argv[1])))
line = {"request_id": "req_0", "action": "add", "status": 200, "milliseconds": 1.25, "account": None}
app._tell(**line)
logs.tell_request(**line)
"""


def test_the_quick_line_of_a_request_is_the_line_that_the_log_would_write(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REQUESTS, str(tmp_path)], capture_output=True, check=True, timeout=60
    )
    usual, quick = (json.loads(line) for line in done.stderr.splitlines())
    assert len(usual["timestamp"]) == len(quick["timestamp"]) == len("2026-11-23T01:02:03.456Z")
    assert {**usual, "timestamp": ""} == {**quick, "timestamp": ""}
    assert (quick["event"], quick["level"], quick["account"]) == ("request", "info", None)


def test_lines_tell_when_in_utc_and_to_the_millisecond() -> None:
    stamped = logs._stamp(None, "info", {"event": "x"})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", stamped["timestamp"])
    at = datetime.fromisoformat(stamped["timestamp"])
    assert abs((clock.now() - at).total_seconds()) < 5
