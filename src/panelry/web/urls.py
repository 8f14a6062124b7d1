"""All addresses for people."""

from allauth.account import views as account
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.decorators import login_required
from django.urls import path
from django.views.generic import RedirectView

from panelry.web.backoffice.office import office
from panelry.web.branding import views as branding
from panelry.web.dashboard import keys
from panelry.web.dashboard.orders import orders
from panelry.web.dashboard.views import overview
from panelry.web.languages import choose
from panelry.web.site import urls as site
from panelry.web.site.developers import urls as developers
from panelry.web.styleguide import styleguide

urlpatterns = [
    *i18n_patterns(*site.urlpatterns, *developers.urlpatterns, prefix_default_language=False),
    *site.files,
    *developers.files,
    path("language/", choose, name="set_language"),
    path("brand/logo/<str:digest>", branding.logo, name="brand_logo"),
    path("brand/mark/<str:accent>.svg", branding.mark, name="brand_mark"),
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("sign-in/again/", login_required(account.reauthenticate), name="account_reauthenticate"),
    path("sign-out/", account.logout, name="account_logout"),
    path("sign-up/", account.signup, name="account_signup"),
    path("dashboard/", overview, name="dashboard"),
    path("dashboard/orders/", orders, name="orders"),
    path("dashboard/keys/", keys.keys, name="keys"),
    path("dashboard/keys/new/", keys.create, name="key_create"),
    path("dashboard/keys/<str:shown_id>/", keys.change, name="key_change"),
    path("dashboard/keys/<str:shown_id>/rotate/", keys.rotate, name="key_rotate"),
    path("dashboard/keys/<str:shown_id>/revoke/", keys.revoke, name="key_revoke"),
    path("office/", RedirectView.as_view(pattern_name="admin:index"), name="office"),
    path("office/admin/", office.urls),
]
if settings.PANELRY_DEVELOPMENT:
    urlpatterns.append(path("styleguide/", styleguide, name="styleguide"))
