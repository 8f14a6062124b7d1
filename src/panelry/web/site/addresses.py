"""Whole addresses of public pages, for whoever reads them elsewhere."""

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def root(request: HttpRequest) -> str:
    """Return the panel's address without a slash at its end; a public name is reached by https."""
    is_secure = request.is_secure() or settings.SESSION_COOKIE_SECURE
    return f"{'https' if is_secure else 'http'}://{request.get_host()}"


def whole(request: HttpRequest, name: str, *args: object) -> str:
    """Return the whole address of a page, in the language of the moment."""
    return root(request) + reverse(name, args=args)
