"""The Django application of an operator's brand."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BrandingConfig(AppConfig):
    """One table; label `branding`."""

    name = "panelry.web.branding"
    label = "branding"
    verbose_name = _("Brand")
