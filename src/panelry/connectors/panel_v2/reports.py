"""What a provider says about orders and refills that it took, as pure functions of its answers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from panelry.connectors.panel_v2 import complaints, fields, rows, words
from panelry.domain.providers import RefillReport, Report, RowError, UpstreamState

_COUNTS: Final = ("charge", "start_count", "remains", "runs", "posts", "posts_done", "orders")
_SUBSCRIPTION: Final = ("posts", "posts_done", "expiry")
_MOST_POSTS: Final = 2_147_483_647


def orders(
    said: Any, asked: Sequence[str], own: Mapping[str, UpstreamState]
) -> dict[str, Report | RowError] | None:
    """Read a map of statuses; `None` where the answer is not about any of the orders asked for.

    Ids that are missing from it are missing here, ids that nobody asked for are dropped.
    """
    if said in ([], {}):
        return {}
    if not isinstance(said, dict):
        return None
    found = {upstream_id: _order(said[upstream_id], own) for upstream_id in asked if upstream_id in said}
    return {upstream_id: row for upstream_id, row in found.items() if row is not None} if found else None


def refill(said: Any, asked: str) -> RefillReport | RowError | None:
    """Read the status of one refill; `None` where the answer is not about it."""
    row = (rows.about(said, [asked], "refill") or {}).get(asked)
    status = row.get("status") if isinstance(row, dict) else row
    if isinstance(row, dict):
        failed = complaints.failed(status) and complaints.message(row)
        # "error" is also a word for the state of a refill, but then there is no message.
        if text := complaints.error(row) or failed or (isinstance(status, dict) and complaints.text(status)):
            return RowError(text=text)
    word = fields.written(status)
    state = words.refill_state(word)
    if isinstance(row, str) and state is None:
        return RowError(text=word) if word else None
    return RefillReport(state=state, word=word) if word else None


def _order(row: Any, own: Mapping[str, UpstreamState]) -> Report | RowError | None:
    if isinstance(row, str):
        return RowError(text=row.strip()) if row.strip() else None
    if not isinstance(row, dict):
        return None
    counted = any(name in row for name in _COUNTS)
    failed = complaints.failed(row.get("status")) and (complaints.message(row) or not counted)
    if complaints.error(row) or failed:
        # "error" is also a word for the state of an order, but then the row has counts and no message
        return RowError(text=complaints.text(row) or "error")
    if "status" not in row:
        return None
    status = row["status"]
    word = fields.written(status)
    subscription = _is_subscription(row)
    return Report(
        state=words.state(word, own) if word or isinstance(status, str | None) else None,
        word=word,
        start_count=fields.count(row.get("start_count")),
        remains=fields.count(row.get("remains")),
        charge=fields.cost(row.get("charge")),
        posts_done=_posts_done(row) if subscription else None,
        expiry=fields.text(row.get("expiry"), 100) if subscription else "",
    )


def _is_subscription(row: dict[str, Any]) -> bool:
    # A drip-feed's parent lists its orders too, but it has runs.
    return any(name in row for name in _SUBSCRIPTION) and not fields.limit(row.get("runs"))


def _posts_done(row: dict[str, Any]) -> int | None:
    """Count the posts: as the row says, else one for each of the orders that it lists."""
    listed = row.get("orders")
    said = fields.limit(row.get("posts_done"))
    done = len(listed) if said is None and isinstance(listed, list | dict) else said
    return done if done is not None and done <= _MOST_POSTS else None
