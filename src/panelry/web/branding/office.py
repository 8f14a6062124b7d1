"""The brand in the back office: one form instead of a list."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from unfold.admin import ModelAdmin

from panelry.web import brand
from panelry.web.branding.form import BrandForm
from panelry.web.branding.models import ONLY


class BrandPage(ModelAdmin):  # type: ignore[misc]
    """What all staff may change: name, accent, logo."""

    form = BrandForm
    fields = ("name", "accent", "upload", "without_logo")

    def has_view_permission(self, request: HttpRequest, _obj: Model | None = None) -> bool:
        """Let all staff see it."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Let all staff see it."""
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, _obj: Model | None = None) -> bool:
        """Let all staff change it."""
        return self.has_view_permission(request)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Refuse: there is one."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Refuse: there is one."""
        return False

    def changelist_view(
        self, _request: HttpRequest, _extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the form instead of a list of one."""
        return redirect("admin:branding_branding_change", ONLY)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:  # noqa: FBT001 (Django's)
        """Store it, and let the next page of this process show it."""
        super().save_model(request, obj, form, change)
        brand.forget()
