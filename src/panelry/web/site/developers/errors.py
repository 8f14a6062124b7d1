"""Why each error is answered and what to do about it, with Markdown's code spans; a test proves the table complete."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from panelry.contract import (
    FAULTS,
    TEXTS,
    BodyTooLarge,
    BodyTooSlow,
    IdMissing,
    MalformedBody,
    MethodNotAllowed,
    OneOrMany,
    RateLimited,
    TooManyIds,
    UnknownAction,
)
from panelry.domain import accounts, catalog, coupons, ledger, orders, refills, webhooks
from panelry.domain.refusals import Refusal

Explained = tuple[str | Promise, str | Promise]
"""The cause, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Error:
    """One error: status and text, with what stands for a detail in capitals; `code` is its anchor."""

    status: int
    text: str
    code: str
    cause: str
    cure: str


REFUSALS: Final[Mapping[type[Refusal], Explained]] = {
    MalformedBody: (
        _(
            "Bad UTF-8, a NUL character, broken JSON or multipart, a JSON value that is neither string nor integer, a file, "
            "more than 20,000 fields or 1,000 parts, or a body that took longer than 30 seconds."
        ),
        _("Send a form, a flat JSON object or multipart fields whose content type says which of them it is."),
    ),
    accounts.InvalidApiKey: (
        _(
            "The key is missing, wrong or revoked; which of them is never told. A JSON body without "
            "`Content-Type: application/json` looks like a missing key, too."
        ),
        _("Check the field `key`; make a new key in the dashboard."),
    ),
    accounts.AccountSuspended: (_("The operator suspended the account."), _("Write to the operator.")),
    orders.MissingParameter: (
        _("The parameter is absent or empty."),
        _("Send it; `request_id` is always yours to choose."),
    ),
    UnknownAction: (
        _("There is no such action."),
        _("Choose one of the actions of this documentation, in small letters."),
    ),
    orders.NotPositiveInteger: (
        _("Something else than the digits 0 to 9, or zero."),
        _("Send plain digits, without sign, separator, decimals or exponent."),
    ),
    orders.NotWholeNumber: (
        _("Something else than the digits 0 to 9 in `delay` or `old_posts`."),
        _("Send plain digits."),
    ),
    orders.ParameterOutOfRange: (
        _("The number is outside of what the parameter may be."),
        _("Keep to the limits in the text."),
    ),
    orders.NotOneLine: (
        _("Line breaks or control characters in a parameter of one line."),
        _("Send one value; only lists have lines."),
    ),
    orders.TooManyLines: (_("The list is too long."), _("Split it into several orders.")),
    orders.InvalidUrl: (
        _("The address has another scheme, no host, or spaces in it."),
        _("Send the full address, `https://…`."),
    ),
    orders.InvalidExpiry: (
        _("Another form of date, a day that no calendar has, or one that has passed (UTC)."),
        _("Send day, month and year: `31/12/2027`."),
    ),
    orders.MaxBelowMin: (_("`max` of a subscription is less than its `min`."), _("Exchange them.")),
    orders.ParameterTooLong: (_("The parameter is too long."), _("Shorten it.")),
    orders.RequestIdTooLong: (
        _("The `request_id` is too long."),
        _("Use a UUID or a number of your own."),
    ),
    orders.RequestIdReused: (
        _("An order with this `request_id` exists, and it was for something else. Nothing was ordered."),
        _("Use a new `request_id` for each order, and the old one only to repeat a call unchanged."),
    ),
    catalog.ServiceNotFound: (
        _("No service with this number is on sale."),
        _("Read the list of services again."),
    ),
    orders.InvalidLink: (
        _("The link has another scheme, no host, or spaces in it."),
        _("Send the full address, `https://…`."),
    ),
    orders.LinkTooLong: (_("The link is too long."), _("Leave out what only measures clicks.")),
    orders.InvalidQuantity: (_("Something else than the digits 0 to 9, or zero."), _("Send plain digits.")),
    orders.QuantityOutOfRange: (
        _(
            "The quantity is outside the service's limits; for some types it is the number of lines that are not blank, "
            "for subscriptions `min` and `max` count."
        ),
        _("Keep to `min` and `max` of the service."),
    ),
    orders.DripFeedUnavailable: (
        _("`runs` was sent for a service whose `dripfeed` is false."),
        _("Leave out `runs`."),
    ),
    coupons.InvalidCoupon: (
        _("The coupon does not exist, does not apply to this order, is used up, or would take nothing off."),
        _("Leave it out, or use another."),
    ),
    ledger.InsufficientBalance: (
        _("The wallet holds less than the order costs."),
        _("Add funds, then send the same call; the same `request_id` may succeed then."),
    ),
    IdMissing: (
        _("Neither a single id nor a list with an id in it was sent."),
        _("Send `order` or `orders`; about refills, `refill` or `refills`."),
    ),
    OneOrMany: (
        _("A single id and a list of ids were sent."),
        _("Send one of them."),
    ),
    TooManyIds: (
        _("The list has more than 100 different ids."),
        _("Ask in lists of 100, of refills too."),
    ),
    orders.OrderNotFound: (
        _("The id is unknown, or the order belongs to another account."),
        _("Check the id; keep the one that Place order answered."),
    ),
    orders.CannotBeCancelled: (
        _("The order has ended, or it is under way and its service has `cancel` false."),
        _("Wait for its end; what is not delivered is refunded."),
    ),
    refills.OrderNotEligible: (
        _(
            "The order is neither completed nor partial, nothing of it was delivered, or it is a drip-feed as a whole or a "
            "subscription."
        ),
        _("Wait until it has ended."),
    ),
    refills.RefillUnavailable: (
        _("The service has `refill` false."),
        _("Choose services whose `refill` is true."),
    ),
    refills.RefillPeriodExpired: (
        _("The order ended longer ago than its service is refilled."),
        _("Place a new order."),
    ),
    refills.RefillLimitReached: (
        _("The order has had as many refills as its service gives; those that were rejected do not count."),
        _("Place a new order."),
    ),
    refills.RefillAlreadyPending: (
        _("Another refill of the order has not ended."),
        _("Ask how that one goes, and again when it has ended."),
    ),
    refills.RefillNotFound: (
        _("The id is unknown, or the refill belongs to another account."),
        _("Check the id; keep the one that the refill was answered with."),
    ),
    webhooks.UnknownEvent: (
        _("`events` names something that nobody can be told of."),
        _("Choose from the list of events, with commas between; leave `events` out for all."),
    ),
    webhooks.InvalidWebhookUrl: (
        _(
            "The `url` is no http(s) URL, is too long, has a user name in it, or a port that this panel does not call."
        ),
        _("Send the full address, on port 443."),
    ),
    webhooks.WebhookUrlNotHttps: (
        _("The `url` of an endpoint begins with `http://`."),
        _("Give the endpoint a certificate."),
    ),
    webhooks.WebhookUrlNotPublic: (
        _(
            "The name in `url` does not resolve within 3 seconds, or leads to an address that is private, local or "
            "otherwise not public."
        ),
        _("Give the endpoint a public address; all that its name leads to must be public."),
    ),
    webhooks.TooManyWebhooks: (
        _("The key has five endpoints that are not removed; disabled ones count."),
        _("Remove one, or use another key."),
    ),
    webhooks.WebhookNotFound: (
        _("The id is unknown, or the endpoint is another account's or removed."),
        _("Check the id; the list of your webhooks has all of them."),
    ),
    webhooks.WebhookDisabled: (
        _(
            "Nothing is sent to a disabled endpoint, no test either; the list of your webhooks tells why it is."
        ),
        _("Mend it and have it enabled, or remove it and add it again."),
    ),
    MethodNotAllowed: (_("Not a POST."), _("Send a POST.")),
    BodyTooLarge: (_("The body has more than 1 MiB."), _("Send less at once.")),
    RateLimited: (
        _(
            "More requests within this minute than the address, the key or the account may send; `X-RateLimit-DeniedBy` "
            "tells which."
        ),
        _("Wait for the seconds of `Retry-After`, then send the same call."),
    ),
}
"""In the order in which they are listed."""

OUR_FAULTS: Final[Mapping[int, Explained]] = {
    500: (
        _("Our fault."),
        _("Repeat it, `add` with the same `request_id`; if it stays, quote `X-Request-Id` to the operator."),
    ),
    503: (
        _("The panel cannot reach its database."),
        _(
            "Wait for the seconds of `Retry-After`, then repeat it, `add` with the same `request_id`: it never orders twice."
        ),
    ),
}

SAME: Final = frozenset({BodyTooSlow})
"""Refusals that answer what another one does."""


def explained(kinds: Iterable[type[Refusal]]) -> list[Error]:
    """Explain refusals, each text once."""
    return [_error(kind) for kind in kinds if kind not in SAME]


def our_faults() -> list[Error]:
    """Explain what is answered where the panel is at fault."""
    return [
        Error(status=status, text=text, code=f"status_{status}", cause=str(cause), cure=str(cure))
        for status, text in FAULTS.items()
        for cause, cure in [OUR_FAULTS[status]]
    ]


def _error(kind: type[Refusal]) -> Error:
    status, text = TEXTS[kind]
    cause, cure = REFUSALS[kind]
    shown = re.sub(r"\{(\w+)\}", lambda detail: detail[1].upper(), text)
    return Error(status=status, text=shown, code=kind.code, cause=str(cause), cure=str(cure))
