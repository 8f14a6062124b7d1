"""Which part of an answer is about which of the orders or refills that it was asked about."""

from collections.abc import Iterator, Sequence
from typing import Any

from panelry.connectors.panel_v2 import fields


def about(said: Any, asked: Sequence[str], kind: str) -> dict[str, Any] | None:
    """Return the rows of an answer by id, without ids that nobody asked for; `None` where it is about none of them.

    Rows come as a list, each with its id under `kind` ("order", "refill"), as a map by id, or as the answer itself:
    one without an id is about the only one that was asked for. Of two rows about the same the first counts.
    """
    if said in ([], {}):
        return {}
    if not isinstance(said, dict | list):
        return None
    found: dict[str, Any] = {}
    for id_, row in _rows(said, asked, kind):
        if id_ is not None and id_ in asked:
            found.setdefault(id_, row)
    return found or None


def _rows(
    said: dict[str, Any] | list[Any], asked: Sequence[str], kind: str
) -> Iterator[tuple[str | None, Any]]:
    only = asked[0] if len(asked) == 1 else None
    if isinstance(said, dict) and not said.keys().isdisjoint(asked):
        yield from said.items()
        return
    for row in said if isinstance(said, list) else [said]:
        if isinstance(row, dict):
            yield fields.identifier(row.get(kind)) or fields.identifier(row.get(f"{kind}_id")) or only, row
        else:
            yield only, row
