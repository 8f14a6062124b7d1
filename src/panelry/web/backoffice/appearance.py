"""How the admin looks: our accent, our mark, our menu."""

from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_LIGHTNESS_AND_CHROMA: Final = {
    "50": (97.5, 0.01), "100": (94.5, 0.02), "200": (89, 0.04), "300": (80, 0.06), "400": (70, 0.08), "500": (58, 0.09),
    "600": (49, 0.085), "700": (43, 0.075), "800": (37, 0.065), "900": (32, 0.05), "950": (24, 0.04),
}  # fmt: skip
_HUE: Final = 205
"""The accent of tokens.css, `oklch(0.49 0.085 205)`, is weight 600."""


def _shades(strength: float) -> dict[str, str]:
    return {
        weight: f"oklch({lightness}% {chroma * strength:.4f} {_HUE})"
        for weight, (lightness, chroma) in _LIGHTNESS_AND_CHROMA.items()
    }


def _list(title: str | Promise, icon: str, model: str, app: str = "schema") -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{app}_{model}_changelist")}


def _name(_request: HttpRequest) -> str:
    from panelry.web import brand  # noqa: PLC0415 (models exist only after the settings, which this is one of)

    return brand.current().name


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": _name,
    "SITE_HEADER": _name,
    "SITE_SUBHEADER": _("Back office"),
    "SITE_URL": reverse_lazy("dashboard"),
    "SITE_ICON": lambda _request: static("panelry/mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("panelry/mark.svg")}
    ],
    "SHOW_HISTORY": False,
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "5px",
    "COLORS": {"primary": _shades(1), "base": _shades(0.08)},
    "ACCOUNT": {"navigation": [{"title": _("Your own account"), "link": reverse_lazy("dashboard")}]},
    "SIDEBAR": {
        "navigation": [
            {
                "title": _("Orders"),
                "items": [
                    _list(_("Orders"), "list", "order"),
                    _list(_("Submissions"), "send", "submission"),
                ],
            },
            {"title": _("Money"), "items": [_list(_("Transfers"), "receipt_long", "transfer")]},
            {
                "title": _("Catalogue"),
                "items": [
                    _list(_("Services"), "sell", "service"),
                    _list(_("Categories"), "category", "category"),
                    _list(_("Providers"), "hub", "provider"),
                ],
            },
            {
                "title": _("Customers"),
                "items": [
                    _list(_("Accounts"), "account_balance_wallet", "account"),
                    _list(_("Log-ins"), "person", "user"),
                    _list(_("API keys"), "key", "apikey"),
                    _list(_("Messages"), "mail", "message", app="content"),
                ],
            },
            {
                "title": _("Public site"),
                "items": [
                    _list(_("Pages"), "article", "page", app="content"),
                    _list(_("Posts"), "edit_note", "post", app="content"),
                    _list(_("Questions"), "help", "question", app="content"),
                    _list(_("Giveaways"), "redeem", "giveaway", app="content"),
                    _list(_("Incidents"), "warning", "incident", app="content"),
                    _list(_("Brand"), "palette", "branding", app="branding"),
                ],
            },
        ]
    },
}
