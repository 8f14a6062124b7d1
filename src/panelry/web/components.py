"""What components need that a template cannot work out: the columns of a table, the marks of a chart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.functional import Promise

WIDTH: Final = 300
HEIGHT: Final = 100
FILLED: Final = Decimal("0.68")
"""The share of its place that a bar fills; the rest is air between it and the next."""
STEPS: Final = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """The head of a column; `kind` is `num` for figures, `spare` for what goes first where it is narrow."""

    title: str | Promise
    kind: str = ""
    is_only_heard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One view of the same matter; `count` is written as people read it."""

    title: str | Promise
    address: str
    count: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One figure of a chart, not negative, and when or of what it is, as people read it."""

    label: str
    value: Decimal | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A mark in the chart's own units, as SVG writes them, and the words of its point."""

    x: str
    y: str
    width: str
    height: str
    label: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars over a scale, and the same figures for a table; `first` and `last` stand below its ends."""

    bars: tuple[Bar, ...]
    scale: tuple[str, ...]
    first: str
    last: str


def chart(points: Sequence[Point], write: Callable[[Decimal | int], str]) -> Chart:
    """Draw bars from the oldest point to the newest; `write` puts a value into words, on the scale as in the table.

    Bars are measured from zero to a round number above the highest, so their lengths can be compared.
    """
    assert points, "there is nothing to draw: show the empty state"
    top = _round_above(max(point.value for point in points))
    step = Decimal(WIDTH) / len(points)
    bars = []
    for place, point in enumerate(points):
        height = HEIGHT * Decimal(point.value) / top
        bars.append(
            Bar(
                x=f"{step * place + step * (1 - FILLED) / 2:.1f}",
                y=f"{HEIGHT - height:.1f}",
                width=f"{step * FILLED:.1f}",
                height=f"{height:.1f}",
                label=point.label,
                shown=write(point.value),
            )
        )
    scale = (write(top), write(top / 2), write(0))
    return Chart(bars=tuple(bars), scale=scale, first=points[0].label, last=points[-1].label)


def _round_above(value: Decimal | int) -> Decimal:
    """Return 1, 2 or 5 times a power of ten, at least the value; 1 where all values are zero."""
    if not value:
        return Decimal(1)
    size = Decimal(10) ** Decimal(value).adjusted()
    return next(size * step for step in STEPS if size * step >= value)
