"""The status of an order, as a dialect writes it and as its behaviour bends it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from panelry.connectors.sandbox.behaviours import Row
from panelry.connectors.sandbox.dialects import Dialect
from panelry.connectors.sandbox.orders import Order, charge_micros
from panelry.connectors.sandbox.paces import Progress, Word
from panelry.domain import money

CURRENCY: Final = "USD"
START_COUNT: Final = "100"
OPEN_POSTS: Final = 3
"""The posts that arrive for a subscription that does not say how many."""

_BENT: Final[Mapping[Row, Callable[[dict[str, Any]], dict[str, Any] | None]]] = MappingProxyType(
    {
        Row.PLAIN: lambda row: row,
        Row.REMAINS_TOO_LARGE: lambda row: (
            row | {"remains": str(10 * int(row.get("remains", 0)) + 5_000_000)}
        ),
        Row.REMAINS_NEGATIVE: lambda row: row | {"remains": "-5"},
        Row.REMAINS_UNKNOWN: lambda row: row | {"remains": "Unknown"},
        Row.REMAINS_ZERO: lambda row: row | {"remains": "0"},
        Row.STILL_CHARGED: lambda row: row | {"remains": "0", "charge": "0.50"},
        Row.NO_COUNTS: lambda row: row | {"charge": None, "start_count": None, "remains": ""},
        Row.WRONG_TYPES: lambda row: {name: [{"wrong": True}] for name in row},
        Row.UNKNOWN_WORD: lambda row: row | {"status": "Meditating"},
        # As other panels report what is bought there as a drip-feed.
        Row.DRIP_FEED: lambda row: {
            "status": row["status"],
            "runs": "5",
            "orders": [{"order": "1"}, {"order": "2"}],
        },
        Row.ABSENT: lambda _: None,
        Row.OTHER_ID: lambda row: row,
    }
)


def report(dialect: Dialect, order: Order, current: Progress) -> dict[str, Any] | None:
    """Return the row for one order; `None` where its behaviour is to be missing."""
    if dialect.classic and order.service.type == "Subscriptions":
        row = _subscription(dialect, order, current)
    else:
        started = current.delivered or current.word in {Word.IN_PROGRESS, Word.ACTIVE, Word.PARTIAL}
        row = {
            "charge": money.text(charge_micros(order, current)),
            "start_count": START_COUNT if started else "0",
            "status": dialect.words[current.word],
            "remains": str(current.remains),
            "currency": CURRENCY,
        }
        if not dialect.classic:
            row |= _progress_of_parts(order, current)
    return _BENT[order.behaviour.row](row)


def batch_id(order: Order) -> str:
    """Return the id that the row for an order has in a batch."""
    return str(another_id(order.id)) if order.behaviour.row is Row.OTHER_ID else order.id


def another_id(id_: str | int) -> str | int:
    """Return an id that looks like this one, and that nobody asked about."""
    return int(f"{id_}0") if isinstance(id_, int) else f"{id_}0"


def _subscription(dialect: Dialect, order: Order, current: Progress) -> dict[str, Any]:
    # Posts are no orders of their own here: their ids stand for them and cannot be asked about.
    total, done = _posts(order, current)
    return {
        "status": dialect.words[current.word],
        "expiry": (order.sent or {}).get("expiry", ""),
        "posts": str(total),
        "orders": [f"{order.id}{number:06d}" for number in range(1, min(done, 1000) + 1)],
        "charge": money.text(charge_micros(order, current)),
        "currency": CURRENCY,
    }


def _progress_of_parts(order: Order, current: Progress) -> dict[str, str]:
    if order.service.type == "Subscriptions":
        total, done = _posts(order, current)
        return {"posts": str(total), "posts_done": str(done)}
    runs = order.draft.runs
    if runs > 1:
        return {"runs": str(runs), "runs_done": str(runs * current.delivered // order.draft.units)}
    return {}


def _posts(order: Order, current: Progress) -> tuple[int, int]:
    total = order.draft.posts or OPEN_POSTS
    return total, total * current.delivered // order.draft.units
