"""How fast an engine follows orders is said only where all are as their provider said."""

from pathlib import Path
from typing import Final

import pytest
from small import TAMPERED, measured

SMALL: Final = {"orders": 2000, "seconds": 2, "accounts": 20, "scale": 1}
FORGETFUL: Final = "UPDATE orders SET remains = 50 WHERE state = 'in_progress'"


def test_following_is_measured_beside_pgbench_and_leaves_nothing(folder: Path) -> None:
    result = measured("track", folder, **SMALL)
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


@pytest.mark.parametrize(("spoil", "reason"), [(TAMPERED, "charge"), (FORGETFUL, "changed")])
def test_where_books_or_orders_are_wrong_there_are_no_figures(folder: Path, spoil: str, reason: str) -> None:
    result = measured("track", folder, spoil=spoil, **SMALL)
    assert result["verified"] is False
    assert reason in result["reason"]
    assert result.keys() == {"verified", "wrong", "reason"}
