"""What a benchmark says: calls a second, and how long one took."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One measurement. Times are milliseconds, as callers saw them."""

    per_second: float
    p50_ms: float
    p99_ms: float

    def shown(self, **ratios: float) -> dict[str, Any]:
        """Return them as a JSON object, with ratios to baselines of the same run."""
        return {
            "per_second": round(self.per_second, 1),
            "p50_ms": round(self.p50_ms, 2),
            "p99_ms": round(self.p99_ms, 2),
            **{name: round(ratio, 3) for name, ratio in ratios.items()},
        }


def figures(seconds: Sequence[float], *, during: float) -> Figures:
    """Sum up calls that took so many seconds each, all of them during `during` seconds."""
    ordered = sorted(seconds)
    return Figures(
        per_second=len(ordered) / during,
        p50_ms=_quantile(ordered, 0.50) * 1000,
        p99_ms=_quantile(ordered, 0.99) * 1000,
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
