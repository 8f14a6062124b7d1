"""The lists of the back office: what is shown, by what it is filtered, what can be found."""

from typing import ClassVar, Final
from uuid import UUID

from django.contrib.admin import display
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from panelry.domain import ids, money
from panelry.domain.accounts import AccountState
from panelry.domain.orders import OrderState, SubmissionState
from panelry.schema.models import Account, Event, Provider, User
from panelry.web.backoffice.columns import by_state, clipped, count, moment, price, shown_id, state
from panelry.web.backoffice.reader import Reader
from panelry.web.words import priced

_account = shown_id(ids.ACCOUNT, "account_id", _("Account"))
_BY_ID_OR_EMAIL: Final = _("A whole id (ord_…, acc_…) or e-mail address")
_IN_VAIN: Final = [SubmissionState.NOT_SENT, SubmissionState.REJECTED, SubmissionState.POSTPONED]
_LIVE: Final = [state for state in SubmissionState if state not in _IN_VAIN]


def _order(id_: UUID) -> Q:
    """Ask for an order by its whole key: its timeline knows whose it is."""
    return Q(id=id_, account__in=Event.objects.filter(subject=id_).values("account"))


def _account_of(email: str) -> Q:
    """Ask by the account itself: the planner must know whether it has ten rows or a million."""
    return Q(account_id__in=list(User.objects.filter(email=email).values_list("account_id", flat=True)))


def _submissions_of(order_id: UUID) -> Q:
    """Ask for the attempts to buy an order: those in vain and the live one have an index each."""
    return Q(order_id=order_id, state__in=_IN_VAIN) | Q(order_id=order_id, state__in=_LIVE)


class Orders(Reader):
    """Every order, newest first."""

    list_display = (
        shown_id(ids.ORDER, "id", _("Order")), state({
            "processing": "info", "in_progress": "info", "completed": "success", "partial": "warning", "refunded": "danger",
        }), clipped("service.name", _("Service"), most=30), count("quantity", _("Quantity")), count("remains", _("Remains")),
        price("charge_micros", _("Charge")), price("refunded_micros", _("Refunded")), moment("created_at", _("Placed")),
        clipped("link", _("Link")), clipped("provider", _("Provider")), _account,
    )  # fmt: skip
    list_filter = (by_state(OrderState), "provider")
    list_select_related = ("service", "provider")
    ordering = ("-created_at",)
    search_fields = ("id",)
    search_help_text = _BY_ID_OR_EMAIL
    finds: ClassVar = {ids.ORDER: _order, ids.ACCOUNT: "account_id", "@": _account_of}
    reads = ("id", "account_id", "state", "service__name", "link", "quantity", "remains", "charge_micros",
            "refunded_micros", "provider__name", "created_at")  # fmt: skip


class Submissions(Reader):
    """Every attempt to buy an order from a provider."""

    list_display = (
        shown_id(ids.SUBMISSION, "id", _("Submission")), state({
            "sending": "info", "accepted": "success", "rejected": "warning", "unknown": "danger", "quarantined": "danger",
        }), shown_id(ids.ORDER, "order_id", _("Order")), clipped("provider", _("Provider")), "provider_service", "upstream_id",
        clipped("message", _("Provider's message")), moment("sent_at", _("Sent")), moment("answered_at", _("Answered")),
    )  # fmt: skip
    list_filter = (by_state(SubmissionState), "provider")
    list_select_related = ("provider",)
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = _("A whole id (sub_…, ord_…, acc_…)")
    finds: ClassVar = {ids.SUBMISSION: "id", ids.ORDER: _submissions_of, ids.ACCOUNT: "account_id"}
    reads = ("id", "state", "order_id", "provider__name", "provider_service", "upstream_id", "message", "sent_at",
            "answered_at")  # fmt: skip


class Transfers(Reader):
    """Every movement of money, newest first."""

    list_display = (
        moment("at", _("At")), "source", "target", price("amount_micros", _("Amount")),
        price("balance_micros", _("Balance after")), "reason", "actor", shown_id(ids.ORDER, "order_id", _("Order")),
        clipped("reference", _("Reference"), most=30), _account, count("version", _("Version")),
    )  # fmt: skip
    ordering = ("-at", "account_id", "-version")
    search_fields = ("order_id",)
    search_help_text = _BY_ID_OR_EMAIL
    finds: ClassVar = {ids.ORDER: "order_id", ids.ACCOUNT: "account_id", "@": _account_of}
    reads = ("at", "source", "target", "amount_micros", "balance_micros", "reason", "actor", "order_id", "reference",
            "account_id", "version")  # fmt: skip


class Services(Reader):
    """What is sold."""

    list_display = (
        "id", "name", state({"on_sale": "success"}), "category", "type", price("rate_micros", _("Rate")),
        count("rate_per", _("Per")), count("minimum", _("Smallest")), count("maximum", _("Largest")), "refill", "cancel",
    )  # fmt: skip
    list_filter = (by_state(("on_sale", "off_sale")), "category")
    list_select_related = ("category",)
    ordering = ("category__position", "position", "id")
    search_fields = ("name",)


class Categories(Reader):
    """The headings of the price list."""

    list_display = ("name", "position")
    ordering = ("position", "id")


class Providers(Reader):
    """Where orders are bought. The key is sealed and is not read."""

    list_display = (
        "name", state({"active": "success", "paused": "warning"}), "pause_reason", "url", "dialect", "balance",
        moment("balance_at", _("Balance at")), moment("synced_at", _("List read")),
    )  # fmt: skip
    list_filter = (by_state(("active", "paused")),)
    ordering = ("name",)
    search_fields = ("name",)
    reads = ("name", "state", "pause_reason", "url", "dialect", "currency", "balance_micros", "balance_at", "synced_at")  # fmt: skip

    @display(description=_("Balance"))
    def balance(self, provider: Provider) -> str:
        """Show the balance in the provider's own currency."""
        if provider.balance_micros is None:
            return ""
        return f"{money.text(provider.balance_micros)} {provider.currency}"


class Accounts(Reader):
    """The customers."""

    list_display = (
        shown_id(ids.ACCOUNT, "id", _("Account")), state({"active": "success", "suspended": "danger"}), "people", "tier",
        "balance", moment("created_at", _("Opened")),
    )  # fmt: skip
    list_filter = (by_state(AccountState), "tier")
    list_select_related = ("tier", "wallet")
    ordering = ("-id",)
    search_fields = ("id",)
    search_help_text = _("A whole id (acc_…) or e-mail address")
    finds: ClassVar = {ids.ACCOUNT: "id", "@": "users__email"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Read accounts with those who log in to them."""
        return super().get_queryset(request).prefetch_related("users")

    @display(description=_("People"))
    def people(self, account: Account) -> str:
        """Show who logs in to the account."""
        return ", ".join(user.email for user in account.users.all())

    @display(description=_("Balance"))
    def balance(self, account: Account) -> str:
        """Show what the wallet holds; one without transfers does not exist yet."""
        return priced(account.wallet.balance_micros if hasattr(account, "wallet") else 0)


class LogIns(Reader):
    """The people who sign in."""

    list_display = (
        "email", "is_staff", "is_active", _account, moment("last_login", _("Last seen")), moment("created_at", _("Made")),
    )  # fmt: skip
    list_filter = ("is_staff", "is_active")
    ordering = ("-id",)
    search_fields = ("email",)
    reads = ("email", "is_staff", "is_active", "account_id", "last_login", "created_at")


class ApiKeys(Reader):
    """The customers' keys, by their first characters; no more of a key is stored."""

    list_display = (
        "prefix", "label", _account, moment("created_at", _("Issued")), moment("last_used_at", _("Last used")),
        moment("revoked_at", _("Revoked")),
    )  # fmt: skip
    ordering = ("-id",)
    search_fields = ("prefix",)
    reads = ("prefix", "label", "account_id", "created_at", "last_used_at", "revoked_at")
