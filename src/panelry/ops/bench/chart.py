"""A chart of how costs grow, as one SVG file that needs nothing else: in light and dark, with words for those who hear it."""

from collections.abc import Mapping, Sequence
from html import escape
from math import ceil, log10
from typing import Final

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 56, 240, 64, 52
LEAST_TOP: Final = 1.5
TIMES: Final = "×"  # noqa: RUF001 (a true multiplication sign)
MOST_ACROSS: Final = 10
COLOURS: Final = (
    ("#00707a", "#4fc3cc"), ("#b3541e", "#f0a06a"), ("#5b5bd6", "#a3a3ff"), ("#2e7d32", "#7bc97f"), ("#b0307a", "#f08cc4"),
    ("#8a6d00", "#d9bd4a"), ("#55606a", "#aab4bd"), ("#20262a", "#e8edf0"),
)  # fmt: skip
"""Of each line, on white and on black; shapes tell them apart for those who see no colours."""
SHAPES: Final = (
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", "M-4 -4h8v8h-8z", "M0 -5l5 9h-10z", "M0 -5l5 5l-5 5l-5 -5z", "M0 5l5 -9h-10z",
    "M-5 -2h3v-3h4v3h3v4h-3v3h-4v-3h-3z", "M-2 -5h4v10h-4z", "M-5 -1.5h10v3h-10z",
)  # fmt: skip
STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #20262a; } .faint { fill: #5a646b; font-size: 12px; }
.title { font-size: 16px; font-weight: 600; } .paper { fill: #fff; } .grid { stroke: #dde2e5; } .one { stroke: #8a949b; }
.line { fill: none; stroke-width: 2; }
"""
DARK: Final = """
text { fill: #e8edf0; } .faint { fill: #a4aeb5; } .paper { fill: #14181a; } .grid { stroke: #2b3236; } .one { stroke: #79838a; }
"""


def drawn(title: str, sizes: Sequence[int], lines: Mapping[str, Sequence[float]]) -> str:
    """Draw lines that begin at 1, each a multiple at each size; sizes stand at their logarithms. Return the file's text."""
    assert all(len(line) == len(sizes) for line in lines.values())
    top = max(LEAST_TOP, ceil(max(max(line) for line in lines.values()) * 2) / 2)
    said = "; ".join(f"{name} {line[-1]:.2f} times" for name, line in lines.items())
    marks = [
        *_across(top),
        *(mark for size in sizes for mark in _down(size, sizes)),
        *(
            mark
            for turn, (name, line) in enumerate(lines.items())
            for mark in _line(
                turn,
                name,
                [(_x(size, sizes), _y(cost, top)) for size, cost in zip(sizes, line, strict=True)],
                line[-1],
            )
        ),
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title desc" width="{WIDTH}" height="{HEIGHT}"',
        f' viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">Cost at {sizes[-1]:,} orders, as a multiple of the cost at {sizes[0]:,}: {escape(said)}.</desc>',
        f"<style>{STYLE}{_colours(0)}@media (prefers-color-scheme: dark) {{{DARK}{_colours(1)}}}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="26">{escape(title)}</text>',
        f'<text class="faint" x="{LEFT}" y="46">{TIMES} the cost at {sizes[0]:,} orders</text>',
        *marks,
        "</svg>\n",
    ])  # fmt: skip


def _across(top: float) -> list[str]:
    """Draw lines across with their multiples, a few; the one at 1 stands out."""
    step = 0.5 if top <= MOST_ACROSS / 2 else ceil(top / MOST_ACROSS)
    marks = [f'<path class="one" d="M{LEFT} {_y(1, top):.1f}H{WIDTH - RIGHT}"/>']
    for turn in range(int(top / step) + 1):
        cost = turn * step
        y = _y(cost, top)
        marks += [
            f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>' if cost != 1 else "",
            f'<text class="faint" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{cost:g}</text>',
        ]
    return [mark for mark in marks if mark]


def _down(size: int, sizes: Sequence[int]) -> list[str]:
    x = _x(size, sizes)
    return [
        f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>',
        f'<text class="faint" x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{size:,}</text>',
    ]


def _line(turn: int, name: str, points: Sequence[tuple[float, float]], last: float) -> list[str]:
    """Draw one line with its marks, and its name beside the chart."""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    legend = (WIDTH - RIGHT + 28, TOP + 12 + 26 * turn)
    return [
        f'<path class="line s{turn}" d="{path}"/>',
        *(
            f'<path class="f{turn}" transform="translate({x:.1f} {y:.1f})" d="{SHAPES[turn]}"/>'
            for x, y in [*points, legend]
        ),
        f'<text x="{legend[0] + 14}" y="{legend[1] + 4}">{escape(name)}, {last:.2f} {TIMES}</text>',
    ]


def _colours(ground: int) -> str:
    return "".join(
        f".s{turn} {{ stroke: {colours[ground]}; }} .f{turn} {{ fill: {colours[ground]}; }} "
        for turn, colours in enumerate(COLOURS)
    )


def _x(size: int, sizes: Sequence[int]) -> float:
    span = log10(sizes[-1] / sizes[0]) or 1.0
    return LEFT + (WIDTH - LEFT - RIGHT) * log10(size / sizes[0]) / span


def _y(cost: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - cost / top)
