"""How fast an engine tells endpoints is said only where each heard what was acknowledged, signed, as often as that."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from panelry import clock
from panelry.domain import webhooks
from panelry.domain.webhooks import rules
from panelry.ops.bench.deliver import is_signed

# In a process of its own, as it is run: Django knows one database for the life of a process.
SMALL = """
import json, sys
from pathlib import Path
from panelry.ops.bench.deliver import deliver
from panelry.ops.bench.ground import Ground, ground
from panelry.ops.bench.progress import Steps
from panelry.ops.session import CommandFailed

FORGET = "DELETE FROM delivery_attempts WHERE event_id IN (SELECT event_id FROM delivery_attempts LIMIT 1)"
INVENT = "UPDATE deliveries SET state = 'delivered', due_at = NULL, finished_at = now() WHERE state = 'exhausted'"

class Tampered(Ground):
    statement = "UPDATE orders SET charge_micros = charge_micros + 1"

    def wrong(self):
        with self.pool.transaction() as conn:
            conn.execute(self.statement)
        return Ground.wrong(self)

class Forgetful(Tampered):
    statement = FORGET

class Boasting(Tampered):
    statement = INVENT

kind = {"honest": Ground, "tampered": Tampered, "forgetful": Forgetful, "boasting": Boasting}[sys.argv[2]]
with ground(Path(sys.argv[1])) as one:
    try:
        where = kind(settings=one.settings, pool=one.pool)
        print(json.dumps(deliver(where, Steps(quiet=True), events=5_000, seconds=1, accounts=10, scale=1)))
    except CommandFailed as failed:
        print(json.dumps({"reason": str(failed), **failed.value}))
"""


def measured(folder: Path, ground: str) -> Any:
    program = [sys.executable, "-c", SMALL, str(folder), ground]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def test_deliveries_are_measured_beside_pgbench_and_leave_nothing(folder: Path) -> None:
    result = measured(folder, "honest")
    assert result["verified"] is True
    assert result["events"] == 5_000
    for name in ("spread", "hot"):
        assert result[name]["per_second"] > 0
        assert 0 < result[name]["p50_ms"] <= result[name]["p99_ms"]
        ratio = result[name]["per_second"] / result["pgbench_per_second"]
        assert result[name]["ratio_to_pgbench"] == pytest.approx(ratio, abs=0.01)
    assert result["memory_mb"]["engine"] > 10
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("ground", "reason"), [("tampered", "charge"), ("forgetful", "was posted"), ("boasting", "count as made")]
)
def test_where_anything_is_wrong_there_are_no_figures(folder: Path, ground: str, reason: str) -> None:
    result = measured(folder, ground)
    assert result["verified"] is False
    assert reason in result["reason"]
    assert result.keys() == {"verified", "wrong", "reason"}


def test_a_post_is_signed_with_the_secret_of_its_endpoint_or_not_at_all() -> None:
    secrets = {
        path: rules.secret_from(bytes([number]) * 32) for number, path in enumerate(("/mine", "/other"))
    }
    signed = webhooks.signed_headers("evt_1", b"{}", secrets=[secrets["/mine"]], at=clock.now())
    post = {"path": "/mine", "body": "{}", **signed}
    assert is_signed(post, secrets)
    for change in ({"path": "/other"}, {"body": "{ }"}, {"webhook-id": "evt_2"}, {"webhook-timestamp": "1"}):
        assert not is_signed({**post, **change}, secrets)
