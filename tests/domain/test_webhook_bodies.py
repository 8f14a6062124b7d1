"""What endpoints are sent, against api-v2.md, 7."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest

from panelry.domain import webhooks
from panelry.domain.webhooks import EVENTS, Told

ID = UUID("019aab12-3456-7abc-8def-0123456789ab")
SHOWN = "01KANH4D2PFAY8VVR14D2PF2DB"
AT = datetime(2026, 11, 22, 3, 4, 5, 999_999, tzinfo=UTC)
STANDS: dict[str, str | int | None] = {
    "from": "in_progress",
    "to": "partial",
    "start_count": 100,
    "remains": 600,
    "charge_micros": 400_000,
}


def told(type_: str, data: dict[str, str | int | None], **more: Any) -> Told:
    return Told(
        **{"event_id": ID, "type": type_, "subject": ID, "sequence": 4, "data": data, "at": AT, **more}
    )


def sent(event: Told) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(webhooks.body(event, currency="EUR"))
    return decoded


def test_a_body_has_its_id_type_timestamp_and_data_and_nothing_else() -> None:
    assert sent(told("order.partial", STANDS, request_id="mine-1")) == {
        "id": f"evt_{SHOWN}",
        "type": "order.partial",
        "timestamp": "2026-11-22T03:04:05Z",
        "data": {
            "order": f"ord_{SHOWN}",
            "request_id": "mine-1",
            "status": "partial",
            "charge": "0.40",
            "start_count": "100",
            "remains": "600",
            "currency": "EUR",
            "sequence": 4,
        },
    }


def test_the_timestamp_is_in_utc_wherever_the_event_was_read() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert sent(told("order.partial", STANDS, at=elsewhere))["timestamp"] == "2026-11-22T03:04:05Z"


def test_only_a_refund_says_what_went_back() -> None:
    paid_back = {**STANDS, "refund_micros": 600_000}
    assert sent(told("order.refunded", paid_back))["data"]["refund"] == "0.60"
    assert "refund" not in sent(told("order.partial", paid_back))["data"]


def test_a_drip_feed_says_its_runs_and_a_subscription_its_posts() -> None:
    dripped = sent(told("order.completed", {**STANDS, "runs": 5, "runs_done": 0}))["data"]
    assert (dripped["runs"], dripped["runs_done"], "posts" in dripped) == ("5", "0", False)
    posted = sent(told("order.completed", {**STANDS, "posts": None, "posts_done": 3}))["data"]
    assert (posted["posts"], posted["posts_done"], "runs" in posted) == ("0", "3", False)


def test_a_refill_names_itself_and_its_order() -> None:
    assert sent(told("refill.completed", {"order": f"ord_{SHOWN}", "status": "completed"}))["data"] == {
        "refill": f"ref_{SHOWN}",
        "order": f"ord_{SHOWN}",
        "status": "completed",
        "sequence": 4,
    }


def test_a_low_balance_says_how_low_and_what_is_low() -> None:
    low = told("balance.low", {"balance_micros": 990_000, "threshold_micros": 5_000_000})
    assert sent(low)["data"] == {"balance": "0.99", "threshold": "5.00", "currency": "EUR", "sequence": 4}


def test_a_test_names_the_endpoint() -> None:
    assert sent(told("webhook.test", {}))["data"] == {"webhook": f"whk_{SHOWN}", "sequence": 4}


@pytest.mark.parametrize("type_", EVENTS)
def test_every_event_that_can_be_asked_for_has_a_body_that_never_changes(type_: str) -> None:
    everything = {
        **STANDS,
        "refund_micros": 1,
        "order": f"ord_{SHOWN}",
        "status": "pending",
        "balance_micros": 1,
        "threshold_micros": 2,
    }
    event = told(type_, everything)
    assert webhooks.body(event, currency="USD") == webhooks.body(event, currency="USD")
    assert sent(event)["type"] == type_


@pytest.mark.parametrize("type_", ["run.completed", "order", ""])
def test_what_nobody_can_ask_for_has_no_body(type_: str) -> None:
    with pytest.raises((AssertionError, KeyError)):
        webhooks.body(told(type_, {}), currency="USD")
