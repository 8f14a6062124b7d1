"""How people come in: allauth, in our words."""

from collections.abc import Callable
from functools import wraps
from typing import ClassVar
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.decorators import reauthentication_required
from allauth.core import context
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from panelry.schema.models import User

View = Callable[..., HttpResponse]


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in with e-mail and password; accounts are made by the operator."""

    error_messages: ClassVar[dict[str, str | Promise]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The e-mail address or the password is not right."),
        "incorrect_password": _("This is not your password."),
        "too_many_login_attempts": _("Too many attempts. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Tell that nobody can make an account for themselves."""
        return False

    def reauthenticate(self, user: User, password: str) -> bool:
        """Tell whether this is the person's password; guessing here is slowed down as at the door."""
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def add_message(self, *_: object, **__: object) -> None:
        """Say nothing about what the next page shows anyway, such as that somebody is signed in."""


def recently_confirmed(view: View) -> View:
    """Let a view act only for someone who gave the password a few minutes ago; others give it first and come back.

    What they posted is not kept meanwhile: the page that they come back to has the button to press.
    """
    guarded = reauthentication_required(view)

    @wraps(view)
    def confirmed(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        assert isinstance(request.user, User)
        if not request.user.has_usable_password():
            raise PermissionDenied  # there is nothing to confirm with
        try:
            answer = guarded(request, *args, **kwargs)
        except ReauthenticationRequired:
            back = urlencode({REDIRECT_FIELD_NAME: request.path})
            return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{back}")
        assert isinstance(answer, HttpResponse)
        return answer

    return login_required(confirmed)
