"""The admin site of the back office: it knows our own lists only, and people come in by our own door."""

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.sites import UnfoldAdminSite

from panelry.schema import models
from panelry.web.backoffice import lists
from panelry.web.branding.models import Branding
from panelry.web.branding.office import BrandPage
from panelry.web.content import models as content
from panelry.web.content import office as writing


class Office(UnfoldAdminSite):  # type: ignore[misc]
    """Django's admin without its own log-in and password pages."""

    index_title = _("Back office")

    def index(self, _request: HttpRequest, _extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Begin with what happens most."""
        return redirect("admin:schema_order_changelist")

    def login(self, request: HttpRequest, _extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send strangers to the sign-in page, and customers away."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or resolve_url("admin:index"))

    def logout(self, request: HttpRequest, _extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign out and show the sign-in page."""
        return _sign_out(request)

    def password_change(
        self, _request: HttpRequest, _extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refuse: nothing is changed here."""
        raise PermissionDenied


@require_POST
def _sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("account_login")


office = Office()
office.register(models.Order, lists.Orders)
office.register(models.Submission, lists.Submissions)
office.register(models.Transfer, lists.Transfers)
office.register(models.Service, lists.Services)
office.register(models.Category, lists.Categories)
office.register(models.Provider, lists.Providers)
office.register(models.Account, lists.Accounts)
office.register(models.User, lists.LogIns)
office.register(models.ApiKey, lists.ApiKeys)
office.register(Branding, BrandPage)
office.register(content.Page, writing.Pages)
office.register(content.Post, writing.Posts)
office.register(content.Question, writing.Questions)
office.register(content.Giveaway, writing.Giveaways)
office.register(content.Incident, writing.Incidents)
office.register(content.Message, writing.Messages)
