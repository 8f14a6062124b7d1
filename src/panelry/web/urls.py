"""All addresses for people."""

from allauth.account import views as account
from django.urls import path
from django.views.generic import RedirectView

from panelry.web.backoffice.office import office
from panelry.web.dashboard.views import overview

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="dashboard"), name="home"),
    path("sign-in/", account.login, name="account_login"),
    path("sign-in/inactive/", account.account_inactive, name="account_inactive"),
    path("sign-out/", account.logout, name="account_logout"),
    path("sign-up/", account.signup, name="account_signup"),
    path("dashboard/", overview, name="dashboard"),
    path("office/", RedirectView.as_view(pattern_name="admin:index"), name="office"),
    path("office/admin/", office.urls),
]
