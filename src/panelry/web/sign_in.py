"""How people come in: allauth, in our words."""

from typing import ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in with e-mail and password; accounts are made by the operator."""

    error_messages: ClassVar[dict[str, str | Promise]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The e-mail address or the password is not right."),
        "too_many_login_attempts": _("Too many attempts. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Tell that nobody can make an account for themselves."""
        return False

    def add_message(self, *_: object, **__: object) -> None:
        """Say nothing about what the next page shows anyway, such as that somebody is signed in."""
