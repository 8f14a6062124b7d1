"""What each refusal says to a reseller's program: status and text (api-v2.md; docs/resellers/errors.md)."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from panelry.domain import accounts, catalog, coupons, ledger, money, orders, refills, webhooks
from panelry.domain.refusals import Refusal

_encode: Final = msgspec.json.Encoder().encode


class MalformedBody(Refusal):
    """It was refused because the body cannot be read: bad UTF-8, NUL, broken JSON or multipart, wrong JSON types."""


class UnknownAction(Refusal):
    """It was refused because there is no such action."""


class BodyTooLarge(Refusal):
    """It was refused because the body has more than 1 MiB."""


class BodyTooSlow(Refusal):
    """It was refused because the body did not arrive in time."""


class MethodNotAllowed(Refusal):
    """It was refused because only POST is answered here."""


class RateLimited(Refusal):
    """It was refused because too many requests came within a minute: from the address, with the key, of the account."""


class OneOrMany(Refusal):
    """It was refused because both a single id and a list of ids were given."""


class IdMissing(Refusal):
    """It was refused because neither a single id nor a list of ids was given."""


class TooManyIds(Refusal):
    """It was refused because a list holds more than 100 ids."""


TEXTS: Final[Mapping[type[Refusal], tuple[int, str]]] = {
    MalformedBody: (400, "Malformed request body"),
    BodyTooSlow: (400, "Malformed request body"),
    BodyTooLarge: (413, "Request body too large"),
    MethodNotAllowed: (405, "Method not allowed"),
    RateLimited: (429, "Rate limit exceeded"),
    UnknownAction: (400, "Unknown action"),
    OneOrMany: (400, "Provide either {parameter} or {parameter}s, not both"),
    IdMissing: (400, "Missing parameter: {parameter}"),
    TooManyIds: (400, "Maximum 100 orders per request"),
    accounts.InvalidApiKey: (400, "Invalid API key"),
    accounts.AccountSuspended: (403, "Account suspended"),
    ledger.InsufficientBalance: (400, "Insufficient balance"),
    catalog.ServiceNotFound: (400, "Service not found"),
    orders.MissingParameter: (400, "Missing required parameter: {parameter}"),
    orders.NotPositiveInteger: (400, "{parameter} must be a positive integer"),
    orders.InvalidQuantity: (400, "Quantity must be a positive integer"),
    orders.QuantityOutOfRange: (400, "Quantity must be between {min} and {max}"),
    orders.InvalidLink: (400, "Link must be a valid http(s) URL"),
    orders.LinkTooLong: (400, "Link must be at most 1000 characters"),
    orders.NotWholeNumber: (400, "{parameter} must be 0 or a positive integer"),
    orders.ParameterOutOfRange: (400, "{parameter} must be between {min} and {max}"),
    orders.NotOneLine: (400, "{parameter} must be a single line"),
    orders.TooManyLines: (400, "{parameter} must have at most {most} lines"),
    orders.InvalidUrl: (400, "{parameter} must be a valid http(s) URL"),
    orders.InvalidExpiry: (400, "expiry must be a date as DD/MM/YYYY, today or later"),
    orders.MaxBelowMin: (400, "max must be at least min"),
    orders.ParameterTooLong: (400, "{parameter} must be at most {most} characters"),
    orders.RequestIdTooLong: (400, "request_id must be at most 128 characters"),
    orders.RequestIdReused: (400, "request_id was already used with different parameters"),
    orders.DripFeedUnavailable: (400, "Drip-feed is not available for this service"),
    coupons.InvalidCoupon: (400, "Invalid coupon"),
    orders.OrderNotFound: (400, "Order not found"),
    orders.CannotBeCancelled: (400, "Order cannot be cancelled"),
    refills.OrderNotEligible: (400, "Order is not eligible for refill"),
    refills.RefillUnavailable: (400, "Refill is not available for this service"),
    refills.RefillPeriodExpired: (400, "Refill period has expired"),
    refills.RefillLimitReached: (400, "Refill limit reached"),
    refills.RefillAlreadyPending: (400, "A refill is already pending"),
    refills.RefillNotFound: (400, "Refill not found"),
    webhooks.UnknownEvent: (400, "Unknown event: {event}"),
    webhooks.InvalidWebhookUrl: (400, "Invalid URL"),
    webhooks.WebhookUrlNotHttps: (400, "URL must use https"),
    webhooks.WebhookUrlNotPublic: (400, "URL must be publicly reachable"),
    webhooks.TooManyWebhooks: (400, "Maximum 5 webhooks per API key"),
    webhooks.WebhookNotFound: (400, "Webhook not found"),
    webhooks.WebhookDisabled: (400, "Webhook is disabled"),
}
"""Every refusal that a caller of the API can meet; a test proves it complete."""

_HEADERS: Final[Mapping[type[Refusal], tuple[tuple[bytes, bytes], ...]]] = {
    MethodNotAllowed: ((b"allow", b"POST"),),
    BodyTooSlow: ((b"connection", b"close"),),
}

NOT_FOR_MACHINES: Final = frozenset({money.InvalidAmount, accounts.TooManyKeys})
"""Refusals that only pages and the command line can cause."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What goes back: a status, a JSON body, extra headers."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


def success(value: Any, *headers: tuple[bytes, bytes]) -> Answer:
    """Answer 200 with a value as JSON."""
    return Answer(body=_encode(value), headers=headers)


def refusal(refused: Refusal) -> Answer:
    """Answer a no with its own status and text."""
    status, _ = TEXTS[type(refused)]
    return Answer(body=error(words(refused)), status=status, headers=_HEADERS.get(type(refused), ()))


def words(refused: Refusal) -> str:
    """Put a no into its words."""
    return TEXTS[type(refused)][1].format(**refused.details)


def error(text: str) -> bytes:
    """Write an error as the API does: `{"error": text}` and nothing else."""
    return _encode({"error": text})


UNAVAILABLE: Final = Answer(
    body=error("Service temporarily unavailable"), status=503, headers=((b"retry-after", b"2"),)
)
INTERNAL_ERROR: Final = Answer(body=error("Internal error"), status=500)
