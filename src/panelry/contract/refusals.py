"""What the API refuses for, and what each refusal says to a reseller's program: status and text (api-v2.md)."""

from collections.abc import Mapping
from typing import Final

from panelry.domain import accounts, catalog, coupons, ledger, money, orders, refills, webhooks
from panelry.domain.refusals import Refusal


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

NOT_FOR_MACHINES: Final = frozenset({money.InvalidAmount, accounts.TooManyKeys})
"""Refusals that only pages and the command line can cause."""

FAULTS: Final[Mapping[int, str]] = {500: "Internal error", 503: "Service temporarily unavailable"}
"""What is answered where nobody was refused: the fault is ours."""

GENERAL: Final = (
    accounts.InvalidApiKey,
    accounts.AccountSuspended,
    RateLimited,
    UnknownAction,
    MalformedBody,
    BodyTooSlow,
    BodyTooLarge,
    MethodNotAllowed,
)
"""What any call can be refused for, whatever it asks for."""
