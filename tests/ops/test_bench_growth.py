"""How costs grow is said only where the books are right at every size, and drawn so that everybody can read it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest
from small import TAMPERED, measured

from panelry.ops.bench.chart import TIMES, drawn
from panelry.ops.bench.growth import TITLES, chart, ratios, rows

SVG = "{http://www.w3.org/2000/svg}"


SMALL: Final = {"seconds": 0.2, "callers": 8, "sizes": [200, 800], "accounts": 5, "scale": 1}


@pytest.fixture
def result() -> dict[str, Any]:
    """Return what a benchmark said: at the larger size a call costs twice, and a transfer half."""
    sizes = {
        str(size): {
            **{name: {"p50_ms": 2.0 * cost} for name in TITLES if name not in {"verify", "pgbench"}},
            "verify": {"seconds": 1.5, "transfers_per_second": 1_000.0 * cost},
            "pgbench": {"per_second": 5_000.0},
        }
        for size, cost in ((10, 1), (1_000, 2))
    }
    return {"sizes": sizes, "growth": {name: line[-1] for name, line in ratios(sizes).items()}}


def test_growth_is_measured_at_each_size_and_leaves_nothing(folder: Path) -> None:
    result = measured("growth", folder, **SMALL)
    assert result["verified"] is True
    assert list(result["sizes"]) == ["200", "800"]
    for at_size in result["sizes"].values():
        assert list(at_size) == list(TITLES)
        for name in set(TITLES) - {"verify", "pgbench"}:
            assert at_size[name]["per_second"] > 0
            assert 0 < at_size[name]["p50_ms"] <= at_size[name]["p99_ms"]
    small, large = result["sizes"].values()
    assert result["growth"]["status"] == pytest.approx(
        large["status"]["p50_ms"] / small["status"]["p50_ms"], abs=0.05
    )
    # Three in five orders are one account's, 25 of them on a page.
    assert [at_size["thousandth_page"]["page"] for at_size in (small, large)] == [4, 19]
    # Each account has a deposit; with the measurement come three quarters more at most.
    assert 205 < small["verify"]["transfers"] <= 355
    assert 805 < large["verify"]["transfers"] <= 1_405
    assert list(folder.iterdir()) == []


def test_no_growth_is_said_where_the_books_are_wrong(folder: Path) -> None:
    result = measured("growth", folder, spoil=TAMPERED, **SMALL)
    assert result["verified"] is False
    assert "the books are wrong" in result["reason"]
    assert "charge" in result["wrong"][0]


def test_no_growth_is_said_where_an_acknowledged_order_is_missing(folder: Path) -> None:
    result = measured("growth", folder, counts=False, **SMALL)
    assert result["verified"] is False
    assert "were acknowledged" in result["reason"]


def test_a_chart_that_cannot_be_written_is_refused_before_anything_is_measured(folder: Path) -> None:
    program = [sys.executable, "-m", "panelry", "bench", "growth", "--json", "--data", str(folder)]
    chart = folder / "nowhere" / "growth.svg"
    done = subprocess.run(
        [*program, "--chart", str(chart)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, json.loads(done.stdout)) == (
        1,
        {"error": f"no file can be made in {chart.parent}"},
    )
    assert list(folder.iterdir()) == []


def test_growth_compares_what_one_call_or_one_transfer_costs(result: dict[str, Any]) -> None:
    grown = ratios(result["sizes"])
    assert (grown.pop("verify"), grown.pop("pgbench")) == ([1.0, 0.5], [1.0, 1.0])
    assert set(map(tuple, grown.values())) == {(1.0, 2.0)}


def test_the_table_has_a_row_for_each_operation_and_a_column_for_each_size(result: dict[str, Any]) -> None:
    [place, *_, verify, pgbench] = rows(result)
    assert place == {"": "place", "10": "2.00 ms", "1,000": "4.00 ms", "growth": f"2.0 {TIMES}"}
    assert (verify["10"], verify["growth"]) == ("1.5 s", f"0.5 {TIMES}")
    assert (pgbench["10"], pgbench["growth"]) == ("5,000 / s", f"1.0 {TIMES}")


def test_the_chart_says_in_words_what_it_shows(result: dict[str, Any]) -> None:
    svg = ET.fromstring(chart(result))  # noqa: S314 (our own)
    said = {svg.findtext(f"{SVG}{name}") for name in ("title", "desc")}
    assert svg.get("role") == "img"
    assert {one.get("id") for one in svg if one.get("id")} == set((svg.get("aria-labelledby") or "").split())
    assert any("verify, per transfer 0.50 times" in (text or "") for text in said)
    assert "prefers-color-scheme: dark" in (svg.findtext(f"{SVG}style") or "")


def test_sizes_stand_at_their_logarithms_and_costs_at_their_multiples() -> None:
    svg = ET.fromstring(drawn("How", [10, 100, 100_000], {"one": [1, 1, 2], "<two>": [1, 3, 0.5]}))  # noqa: S314 (our own)
    lines = [
        one.get("d") or "" for one in svg.iter(f"{SVG}path") if (one.get("class") or "").startswith("line")
    ]
    points = [[tuple(map(float, point.split())) for point in line[1:].split("L")] for line in lines]
    (left, level), (middle, _), (right, higher) = points[0]
    assert (middle - left) / (right - left) == pytest.approx(1 / 4, abs=0.01)
    assert points[1][0] == (left, level)
    (_, thrice), (_, half) = points[1][1:]
    assert level - higher == pytest.approx((level - thrice) / 2, abs=0.2)
    assert half - level == pytest.approx((level - higher) / 2, abs=0.2)
    assert any(text.text == f"<two>, 0.50 {TIMES}" for text in svg.iter(f"{SVG}text"))
