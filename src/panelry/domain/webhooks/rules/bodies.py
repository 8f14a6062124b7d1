"""What an endpoint is sent (api-v2.md, 7): rendered from what the event keeps, so that every attempt says the same."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from panelry.domain import ids, money
from panelry.domain.webhooks.values import Told

OPEN_POSTS: Final = 0
"""How many posts a subscription says it has whose end is open."""
_encode: Final = msgspec.json.Encoder().encode

Kept = Mapping[str, str | int | None]


def body(told: Told, *, currency: str) -> bytes:
    """Write the JSON that is signed and sent for an event of `EVENTS`."""
    return _encode(
        {
            "id": ids.show(ids.EVENT, told.event_id),
            "type": told.type,
            "timestamp": instant(told.at),
            "data": {**_data(told, currency), "sequence": told.sequence},
        }
    )


def instant(at: datetime) -> str:
    """Write an instant as the API does, in whole seconds: `2026-11-22T03:04:05Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def status_fields(kept: Kept, *, currency: str) -> dict[str, str]:
    """Show how an order stands as `status` answers it: strings only, and of its kind only what it has.

    `kept` has `to`, `charge_micros`, `start_count` and `remains`; where it is a drip-feed `runs` and `runs_done`, where
    it is a subscription `posts` (`None`: their number is open) and `posts_done`.
    """
    shown = {"status": str(kept["to"]), "charge": _amount(kept, "charge_micros")}
    for name in ("start_count", "remains", "runs", "runs_done"):
        count = kept.get(name)
        if count is not None:
            shown[name] = str(count)
    if kept.get("posts_done") is not None:
        shown |= {"posts": str(kept.get("posts") or OPEN_POSTS), "posts_done": str(kept["posts_done"])}
    shown["currency"] = currency
    return shown


def _data(told: Told, currency: str) -> dict[str, Any]:
    match told.type.partition(".")[0]:
        case "order":
            return _order(told, currency)
        case "refill":
            refill = ids.show(ids.REFILL, told.subject)
            return {"refill": refill, "order": told.data["order"], "status": told.data["status"]}
        case "balance":
            return {
                "balance": _amount(told.data, "balance_micros"),
                "threshold": _amount(told.data, "threshold_micros"),
                "currency": currency,
            }
        case "webhook":
            return {"webhook": ids.show(ids.WEBHOOK, told.subject)}
        case _:
            raise AssertionError(f"{told.type} is told to nobody")


def _order(told: Told, currency: str) -> dict[str, Any]:
    order = {"order": ids.show(ids.ORDER, told.subject), "request_id": told.request_id}
    status = status_fields(told.data, currency=currency)
    if told.type == "order.refunded":
        status["refund"] = _amount(told.data, "refund_micros")
    return {**order, **status}


def _amount(kept: Kept, name: str) -> str:
    micros = kept[name]
    assert isinstance(micros, int)
    return money.text(micros)
