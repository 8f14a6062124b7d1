"""Refusals in words, each beside the field that can change it; a test proves the table complete."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from panelry.domain import accounts, catalog, coupons, ledger, orders
from panelry.domain.refusals import Refusal
from panelry.web.words import counted

FORM: Final = "form"
"""The place of what no single field can change."""
FIELDS: Final = frozenset({"service", "link", "quantity", FORM})

ANSWERS: Final[Mapping[type[Refusal], tuple[str, str | Promise]]] = {
    accounts.InvalidApiKey: (FORM, _("This account is closed.")),
    accounts.AccountSuspended: (FORM, _("This account is suspended. Write to support.")),
    catalog.ServiceNotFound: ("service", _("This service is not on sale any more. Choose another.")),
    ledger.InsufficientBalance: (FORM, _("The wallet holds less than this order costs.")),
    orders.MissingParameter: ("", _("This is needed.")),
    orders.NotPositiveInteger: ("", _("Enter a whole number above zero.")),
    orders.ParameterTooLong: ("", _("This is too long.")),
    orders.InvalidQuantity: ("quantity", _("Enter a whole number above zero.")),
    orders.QuantityOutOfRange: (
        "quantity",
        _("The smallest order of this service is %(min)s, the largest %(max)s."),
    ),
    orders.InvalidLink: ("link", _("Enter a full address that begins with http:// or https://.")),
    orders.LinkTooLong: ("link", _("A link has at most %(most)s characters.")),
    orders.RequestIdTooLong: (FORM, _("This form was damaged on its way. Press the button again.")),
    orders.RequestIdReused: (
        FORM,
        _("An order was placed from this form already. Press the button again to place this one too."),
    ),
    orders.DripFeedUnavailable: ("service", _("This service is not delivered in runs.")),
    orders.NotWholeNumber: ("", _("Enter a whole number.")),
    orders.ParameterOutOfRange: ("", _("This is at least %(min)s and at most %(max)s.")),
    orders.NotOneLine: ("", _("This is one line, without line breaks.")),
    orders.TooManyLines: ("", _("This has at most %(most)s lines.")),
    orders.InvalidUrl: ("", _("Enter a full address that begins with http:// or https://.")),
    orders.InvalidExpiry: ("expiry", _("Enter a day as DD/MM/YYYY, today or later.")),
    orders.MaxBelowMin: ("max", _("The most for each post is not below the least.")),
    coupons.InvalidCoupon: (FORM, _("This coupon does not apply to this order.")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One sentence, and the field it stands beside."""

    field: str
    text: str


def explained(refusal: Refusal) -> Complaint:
    """Put a refusal into words."""
    field, text = ANSWERS[type(refusal)]
    field = field or str(refusal.details["parameter"])
    details = {k: counted(v) if isinstance(v, int) else v for k, v in refusal.details.items()}
    return Complaint(field=field if field in FIELDS else FORM, text=str(text) % details)
