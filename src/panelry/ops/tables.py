"""Rows for people: a plain table that a terminal of any width can show."""

import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table


def table(rows: Sequence[Mapping[str, Any]], *, empty: str) -> str:
    """Return rows as a table, or what to say when there are none."""
    if not rows:
        return empty
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        drawn.add_column(name, overflow="fold")
    for row in rows:
        drawn.add_row(*("" if value is None else str(value) for value in row.values()))
    out = io.StringIO()
    # On a terminal long cells are folded; what a program reads keeps them whole.
    width = max(Console().width, 100) if sys.stdout.isatty() else 1000
    Console(file=out, width=width, highlight=False, markup=False).print(drawn)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
