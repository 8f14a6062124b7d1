"""How fast an engine follows orders is said only where all are as their provider said."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# In a process of its own, as it is run: Django knows one database for the life of a process.
SMALL = """
import json, sys
from pathlib import Path
from panelry.ops.bench.ground import Ground, ground
from panelry.ops.bench.progress import Steps
from panelry.ops.bench.track import track
from panelry.ops.session import CommandFailed

class Tampered(Ground):
    def wrong(self):
        with self.pool.transaction() as conn:
            conn.execute("UPDATE orders SET charge_micros = charge_micros + 1")
        return Ground.wrong(self)

class Forgetful(Ground):
    def wrong(self):
        with self.pool.transaction() as conn:
            conn.execute("UPDATE orders SET remains = 50 WHERE state = 'in_progress'")
        return Ground.wrong(self)

kind = {"honest": Ground, "tampered": Tampered, "forgetful": Forgetful}[sys.argv[2]]
with ground(Path(sys.argv[1])) as one:
    try:
        where = kind(settings=one.settings, pool=one.pool)
        print(json.dumps(track(where, Steps(quiet=True), orders=2000, seconds=2, accounts=20, scale=1)))
    except CommandFailed as failed:
        print(json.dumps({"reason": str(failed), **failed.value}))
"""


def measured(folder: Path, ground: str) -> Any:
    program = [sys.executable, "-c", SMALL, str(folder), ground]
    done = subprocess.run(program, capture_output=True, text=True, check=True, timeout=120)
    return json.loads(done.stdout)


def test_following_is_measured_beside_pgbench_and_leaves_nothing(folder: Path) -> None:
    result = measured(folder, "honest")
    assert result["verified"] is True
    assert result["orders"] == 2000
    for name in ("sent", "followed"):
        assert result[name]["per_second"] > 0
        assert result[name]["p50_ms"] <= result[name]["p99_ms"]
        ratio = result[name]["per_second"] / result["pgbench_per_second"]
        assert result[name]["ratio_to_pgbench"] == pytest.approx(ratio, abs=0.01)
    applied = result["changed_per_second"] + result["unchanged_per_second"]
    assert applied == pytest.approx(result["followed"]["per_second"], abs=0.2)
    assert 0.05 < result["changed_per_second"] / applied < 0.2
    assert 1 <= applied / result["pages_per_second"] <= 100.1
    assert result["memory_mb"]["engine"] > 10
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("ground", "reason"), [("tampered", "charge"), ("forgetful", "changed")])
def test_where_books_or_orders_are_wrong_there_are_no_figures(folder: Path, ground: str, reason: str) -> None:
    result = measured(folder, ground)
    assert result["verified"] is False
    assert reason in result["reason"]
    assert result.keys() == {"verified", "wrong", "reason"}
