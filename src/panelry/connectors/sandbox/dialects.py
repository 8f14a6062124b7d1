"""The two dialects, as data: the classic one that most providers speak, and ours (api-v2.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from panelry.connectors.sandbox.catalog import Service
from panelry.connectors.sandbox.orders import RefillWord
from panelry.connectors.sandbox.paces import Word
from panelry.connectors.sandbox.refusals import Problem, Refused
from panelry.domain import money


class DialectName(StrEnum):
    """What `--dialect` offers."""

    CLASSIC = "classic"
    PANELRY = "panelry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one dialect differs.

    `classic` gathers what always goes together: numeric ids, `service` and rows of unknown ids as the old panels have
    them, errors nested in rows, and no idempotency.
    """

    classic: bool
    error_status: int
    words: Mapping[Word, str]
    refill_words: Mapping[RefillWord, str]
    texts: Mapping[Problem, str]

    def text(self, refused: Refused) -> str:
        """Return the words of a refusal."""
        return self.texts[refused.problem].format(**refused.details)

    def row_error(self, kind: str, id_: str | int, result: str, refused: Refused) -> dict[str, Any]:
        """Return the row of a batch for something that was refused: `result` is the field a success would have."""
        text = self.text(refused)
        return {kind: id_, result: {"error": text}} if self.classic else {kind: id_, "error": text}

    def service_row(self, service: Service) -> dict[str, Any]:
        """Return one row of the catalogue."""
        row: dict[str, Any] = {
            "service": str(service.id) if self.classic else service.id,
            "name": service.name,
            "type": service.type,
            "category": service.category,
            "rate": money.text(service.rate_micros),
            "min": str(service.minimum),
            "max": str(service.maximum),
            "dripfeed": service.dripfeed,
            "refill": service.refill,
            "cancel": service.cancel,
        }
        if self.classic:
            return row
        package = {"per": "package"} if service.packaged else {}
        return {**row, "description": f"Sandbox: {service.name}", "average_time": "1 minute", **package}


CLASSIC: Final = Dialect(
    classic=True,
    error_status=200,
    words=MappingProxyType(
        {
            Word.PENDING: "Pending",
            Word.ACTIVE: "Active",
            Word.IN_PROGRESS: "In progress",
            Word.COMPLETED: "Completed",
            Word.PARTIAL: "Partial",
            Word.CANCELLED: "Canceled",
            Word.REFUNDED: "Refunded",
            Word.PAUSED: "Paused",
            Word.EXPIRED: "Expired",
        }
    ),
    refill_words=MappingProxyType(
        {
            RefillWord.PENDING: "Pending",
            RefillWord.IN_PROGRESS: "In progress",
            RefillWord.COMPLETED: "Completed",
            RefillWord.REJECTED: "Rejected",
        }
    ),
    texts=MappingProxyType(
        {
            Problem.BODY: "Incorrect request",
            Problem.KEY: "Invalid API key",
            Problem.ACTION_MISSING: "Incorrect request",
            Problem.ACTION_UNKNOWN: "Incorrect request",
            Problem.SERVICE: "Incorrect service ID",
            Problem.MISSING: "{name} is required",
            Problem.NOT_A_NUMBER: "Numeric {name} is required",
            Problem.RANGE: "{name} from {low} to {high} is required",
            Problem.TOO_SMALL: "Quantity less than minimal {low}",
            Problem.TOO_LARGE: "Quantity more than maximal {high}",
            Problem.TOO_MANY_LINES: "{name} of at most {high} lines is required",
            Problem.DATE: "{name} as d/m/Y is required",
            Problem.DRIPFEED: "Service does not support drip feed",
            Problem.REQUEST_ID_LENGTH: "Shorter request_id is required",
            Problem.REQUEST_ID_REUSED: "request_id was already used with different parameters",
            Problem.FAULT: "Unknown sandbox behaviour: {name}",
            Problem.WHICH_ORDER: "Incorrect order ID",
            Problem.BOTH: "Incorrect request",
            Problem.TOO_MANY_ORDERS: "Maximum 100 orders per request",
            Problem.ORDER: "Incorrect order ID",
            Problem.REFILL_MISSING: "Refill not found",
            Problem.REFILL_UNKNOWN: "Refill not found",
            Problem.REFILL_UNAVAILABLE: "Refill is not available for this service",
            Problem.NOT_REFILLABLE: "Order is not eligible for refill",
            Problem.REFILL_PENDING: "A refill is already pending",
            Problem.CANCEL: "Order cannot be cancelled",
            Problem.SAID: "{text}",
        }
    ),
)

PANELRY: Final = Dialect(
    classic=False,
    error_status=400,
    words=MappingProxyType(
        {word: word.value for word in Word}
        | {Word.ACTIVE: "in_progress", Word.PAUSED: "in_progress", Word.EXPIRED: "partial"}
    ),
    refill_words=MappingProxyType({word: word.value for word in RefillWord}),
    texts=MappingProxyType(
        {
            **CLASSIC.texts,
            Problem.BODY: "Malformed request body",
            Problem.ACTION_MISSING: "Missing required parameter: action",
            Problem.ACTION_UNKNOWN: "Unknown action",
            Problem.SERVICE: "Service not found",
            Problem.MISSING: "Missing required parameter: {name}",
            Problem.NOT_A_NUMBER: "{name} must be a positive integer",
            Problem.RANGE: "{name} must be between {low} and {high}",
            Problem.TOO_SMALL: "Quantity must be between {low} and {high}",
            Problem.TOO_LARGE: "Quantity must be between {low} and {high}",
            Problem.TOO_MANY_LINES: "{name} must be at most {high} lines",
            Problem.DATE: "{name} must be a date as d/m/Y",
            Problem.DRIPFEED: "Drip-feed is not available for this service",
            Problem.REQUEST_ID_LENGTH: "request_id must be at most 128 characters",
            Problem.WHICH_ORDER: "Missing parameter: order",
            Problem.BOTH: "Provide either order or orders, not both",
            Problem.ORDER: "Order not found",
            Problem.REFILL_MISSING: "Missing parameter: refill",
        }
    ),
)

DIALECTS: Final = MappingProxyType({DialectName.CLASSIC: CLASSIC, DialectName.PANELRY: PANELRY})
