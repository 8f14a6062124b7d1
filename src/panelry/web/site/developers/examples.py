"""One call for each thing that can be asked for, with what is answered and one way to be refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from panelry.contract import ACTIONS, TEXTS, TooManyIds
from panelry.domain import ledger, orders, refills, webhooks
from panelry.domain.accounts import InvalidApiKey
from panelry.domain.refusals import Refusal

ORDER: Final = "ord_01M82JTC7HFFSV88X6951Q73K7"
SECOND: Final = "ord_01M82JTC8JFERTE1NZGG1N0HH1"
REFILL: Final = "ref_01M82JTC8SF7R8DW7Z07Z3CJM1"
WEBHOOK: Final = "whk_01M82JTC7DE52VECKXJPD3VNH9"
CURRENCY: Final = "USD"
"""What stands in the answers; a panel shows its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A call of an action with these fields beside the key, its answer, and a refusal that it could have met."""

    action: str
    fields: Mapping[str, str] = field(default_factory=dict)
    answer: Any
    refused: Refusal = field(default_factory=InvalidApiKey)

    @property
    def sent(self) -> dict[str, str]:
        """Return all fields but the key, in the order in which they are shown."""
        return {"action": self.action, **self.fields}

    @property
    def error(self) -> dict[str, str]:
        """Return the body of the refusal."""
        return {"error": TEXTS[type(self.refused)][1].format(**self.refused.details)}


_STATUS: Final = {"status": "in_progress", "charge": "4.50", "start_count": "1830", "remains": "350"}
_LIST: Final = f"{ORDER},{SECOND}"

EXAMPLES: Final[Mapping[str, Example]] = {
    "services": Example(
        action="services",
        answer=[
            {
                "service": 1,
                "name": "Technology digest: sponsored link, per 1,000 readers",
                "type": "Default",
                "category": "Newsletters",
                "rate": "4.50",
                "min": "100",
                "max": "200000",
                "dripfeed": False,
                "refill": True,
                "cancel": True,
                "description": "One labelled link in the next weekly issue.",
                "average_time": "2 days",
            },
            {
                "service": 9,
                "name": "Sponsored article in a trade magazine",
                "type": "Package",
                "category": "Articles",
                "rate": "120.00",
                "min": "1",
                "max": "1",
                "dripfeed": False,
                "refill": False,
                "cancel": True,
                "description": "Written by the magazine's desk from your brief.",
                "average_time": "12 days",
                "per": "package",
            },
        ],
    ),
    "add": Example(
        action="add",
        fields={
            "service": "1",
            "quantity": "1000",
            "link": "https://example.com/spring",
            "request_id": "invoice-4711",
        },
        answer={"order": ORDER},
        refused=ledger.InsufficientBalance(),
    ),
    "drip-feed": Example(
        action="add",
        fields={
            "service": "3",
            "quantity": "2000",
            "link": "https://example.com/spring",
            "runs": "5",
            "interval": "60",
            "request_id": "invoice-4712",
        },
        answer={"order": SECOND},
        refused=orders.DripFeedUnavailable(),
    ),
    "status": Example(
        action="status",
        fields={"order": ORDER},
        answer={**_STATUS, "currency": CURRENCY},
        refused=orders.OrderNotFound(),
    ),
    "status-list": Example(
        action="status",
        fields={"orders": _LIST},
        answer={
            ORDER: {**_STATUS, "currency": CURRENCY},
            SECOND: {**_STATUS, "status": "completed", "remains": "0", "currency": CURRENCY},
        },
        refused=TooManyIds(),
    ),
    "refill": Example(
        action="refill",
        fields={"order": SECOND},
        answer={"refill": REFILL},
        refused=refills.RefillAlreadyPending(),
    ),
    "refill-list": Example(
        action="refill",
        fields={"orders": _LIST},
        answer=[
            {"order": ORDER, "error": "Order is not eligible for refill"},
            {"order": SECOND, "refill": REFILL},
        ],
        refused=TooManyIds(),
    ),
    "refill_status": Example(
        action="refill_status",
        fields={"refill": REFILL},
        answer={"status": "in_progress"},
        refused=refills.RefillNotFound(),
    ),
    "cancel": Example(
        action="cancel",
        fields={"order": ORDER},
        answer={"cancel": ORDER},
        refused=orders.CannotBeCancelled(),
    ),
    "cancel-list": Example(
        action="cancel",
        fields={"orders": _LIST},
        answer=[
            {"order": ORDER, "cancel": ORDER},
            {"order": SECOND, "error": "Order cannot be cancelled"},
        ],
        refused=TooManyIds(),
    ),
    "balance": Example(action="balance", answer={"balance": "47.32", "currency": CURRENCY}),
    "webhook.add": Example(
        action="webhook.add",
        fields={"url": "https://shop.example/hook", "events": "order.completed,order.refunded"},
        answer={
            "webhook": WEBHOOK,
            "url": "https://shop.example/hook",
            "events": ["order.completed", "order.refunded"],
            "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        },
        refused=webhooks.WebhookUrlNotHttps(),
    ),
    "webhook.list": Example(
        action="webhook.list",
        answer=[
            {
                "webhook": WEBHOOK,
                "url": "https://shop.example/hook",
                "events": ["order.completed", "order.refunded"],
                "state": "active",
                "reason": "",
                "last_result": "HTTP 200",
                "last_attempt": "2026-11-22T21:33:58Z",
                "last_success": "2026-11-22T21:33:58Z",
                "created": "2026-11-22T21:30:02Z",
            }
        ],
    ),
    "webhook.test": Example(
        action="webhook.test",
        fields={"webhook": WEBHOOK},
        answer={"webhook": WEBHOOK, "event": "evt_01M82JTC94F4N86A6KBR76CGVC"},
        refused=webhooks.WebhookDisabled(),
    ),
    "webhook.remove": Example(
        action="webhook.remove",
        fields={"webhook": WEBHOOK},
        answer={"removed": WEBHOOK},
        refused=webhooks.WebhookNotFound(),
    ),
}
"""By the name that texts call them; the first of an action has the action's name."""

assert {example.action for example in EXAMPLES.values()} == set(ACTIONS)
