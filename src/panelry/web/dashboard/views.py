"""The customer's first page: the wallet, one order to place, and what became of the latest ones."""

from http import HTTPStatus
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from panelry.domain import ids
from panelry.domain.accounts import AccountId
from panelry.domain.orders import Placed
from panelry.domain.refusals import Refusal
from panelry.schema.models import User
from panelry.web.dashboard import history
from panelry.web.dashboard.account import standing
from panelry.web.dashboard.entry import Entry, place
from panelry.web.dashboard.offers import on_sale
from panelry.web.dashboard.refusals import explained

LATEST: Final = 10


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """Show the account, or order for it."""
    assert isinstance(request.user, User)
    if request.user.account_id is None:
        return render(request, "dashboard/no_account.html")
    account_id = AccountId(request.user.account_id)
    if request.method == "POST":
        return _order(request, account_id)
    return render(
        request, "dashboard/overview.html", _shown(account_id, Entry(service=request.GET.get("service", "")))
    )


def _order(request: HttpRequest, account_id: AccountId) -> HttpResponse:
    entry = Entry.read(request.POST)
    match place(account_id, entry):
        case Placed(order_id=order_id, replayed=replayed):
            text = (
                _("Order %s was placed already; nothing was charged again.")
                if replayed
                else _("Order %s is placed.")
            )
            messages.success(request, text % ids.show(ids.ORDER, order_id))
            return redirect("dashboard")
        case Refusal() as refusal:
            shown = _shown(account_id, entry.after(refusal)) | {"complaint": explained(refusal)}
            return render(request, "dashboard/overview.html", shown, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _shown(account_id: AccountId, entry: Entry) -> dict[str, Any]:
    shown = standing(account_id)
    return {
        **shown,
        "offers": on_sale(shown["account"].tier.discount_percent),
        "entry": entry,
        "lines": history.latest(account_id, most=LATEST),
    }
