"""A benchmark says how fast it was only where the books are right afterwards."""

import io
import os
from pathlib import Path
from typing import Final

import pytest
from rich.console import Console
from small import TAMPERED, measured

from journeys.panels import until
from panelry.ops.bench import memory
from panelry.ops.bench.figures import figures
from panelry.ops.bench.progress import Steps

FULL = "━" * 40


SMALL: Final = {"seconds": 1, "callers": 8, "accounts": 5, "scale": 1}


def test_placing_is_measured_beside_pgbench_and_leaves_nothing(folder: Path) -> None:
    result = measured("place", folder, **SMALL)
    assert result["verified"] is True
    for name in ("spread", "hot"):
        assert result[name]["per_second"] > 0
        assert result[name]["p50_ms"] <= result[name]["p99_ms"]
        ratio = result[name]["per_second"] / result["pgbench_per_second"]
        assert result[name]["ratio_to_pgbench"] == pytest.approx(ratio, abs=0.01)
    assert result["memory_mb"]["benchmark"] > 10
    assert result["memory_mb"]["postgresql"] > 10
    assert list(folder.iterdir()) == []


def test_where_the_books_are_wrong_there_are_no_figures(folder: Path) -> None:
    result = measured("place", folder, spoil=TAMPERED, **SMALL)
    assert result["verified"] is False
    assert "charge" in result["wrong"][0]
    assert result.keys() == {"verified", "wrong", "reason"}


def test_figures_are_of_those_calls_that_were_counted() -> None:
    one = figures([0.001] * 98 + [0.5, 0.5], during=2)
    assert (one.per_second, one.p50_ms, one.p99_ms) == (50, 1, 500)
    assert one.shown(ratio=1 / 3)["ratio"] == 0.333


def watched() -> tuple[Steps, io.StringIO]:
    out = io.StringIO()
    return Steps(
        quiet=False, console=Console(file=out, force_terminal=True, width=100, color_system=None)
    ), out


def test_a_step_that_counts_shows_how_far_it_came() -> None:
    steps, out = watched()
    with steps("fill", total=1_000) as advance:
        advance(256)
    assert out.getvalue().splitlines()[-2].endswith("256/1000")


def test_a_step_of_so_many_seconds_runs_with_the_clock() -> None:
    steps, out = watched()
    with steps("load", seconds=0.1):
        until(lambda: FULL in out.getvalue(), seconds=10)


def test_a_step_that_failed_stays_where_it_was() -> None:
    steps, out = watched()
    with pytest.raises(RuntimeError), steps("load", seconds=1_000):
        raise RuntimeError
    assert "load" in out.getvalue()
    assert FULL not in out.getvalue()


def test_steps_are_shown_only_where_somebody_waits_for_them() -> None:
    for console, quiet in (
        (Console(file=io.StringIO(), force_terminal=True), True),
        (Console(file=io.StringIO()), False),
    ):
        with Steps(quiet=quiet, console=console)("load"):
            pass
        assert isinstance(console.file, io.StringIO)
        assert console.file.getvalue() == ""


def test_memory_is_of_those_processes_that_can_be_read(folder: Path) -> None:
    told = memory.peaks(folder, {"other": os.getpid(), "gone": 2**22 + 1})
    assert told["other"] == told["benchmark"] > 10
    assert told.keys() == {"other", "benchmark"}
