"""The languages of our pages: which one a request is answered in, and where its page stands in the others."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from django import template
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.template import Context
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language_from_path, get_language_from_request
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from panelry.web.site.addresses import root

register = template.Library()

PERSONAL: Final = ("/dashboard/", "/sign-", "/office/", "/language/", "/styleguide/")
"""Addresses without a language: their readers choose it. All others are public and name theirs, or are English."""
READ_IN: Final = "panelry_read_in"
"""The cookie that says, until the browser is closed, in which language the last public page was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A page in one language; `path` begins at the root, `address` is whole, `name` is as its speakers write it."""

    code: str
    name: str
    path: str
    address: str
    is_right_to_left: bool
    is_current: bool


class Languages:
    """Middleware: a public page speaks the language of its address, a personal one that of its reader.

    Who has chosen none signs in in the language of the public page that they read last.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap the rest of the middleware."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in one language."""
        named = get_language_from_path(request.path_info)
        is_personal = request.path_info.startswith(PERSONAL)
        code = named or (_readers(request) if is_personal else settings.LANGUAGE_CODE)
        with translation.override(code):
            request.LANGUAGE_CODE = code
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", code)
        if is_personal:
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        elif (
            _is_read(response)
            and (READ_IN in request.COOKIES or named)
            and request.COOKIES.get(READ_IN) != code
        ):
            _remember(response, code, cookie=READ_IN, seconds=None)
        return response


@csrf_exempt  # anybody may change the language of anybody's pages; so public ones need neither a token nor a cookie
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember a language and lead back to the same page in it: to `next`, or to where the form was.

    What stood behind the page's `?` is the browser's to say: pages repeat no address that they were asked by.
    """
    code, back, form_was_at = request.POST.get("language", ""), request.POST.get("next"), _referrer(request)
    if not back or back == form_was_at.partition("?")[0]:
        back = form_was_at
    if code not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest()
    if not (back.startswith("/") and url_has_allowed_host_and_scheme(back, None)):
        back = "/"
    response = HttpResponseRedirect(translated(back, code))
    _remember(response, code, cookie=settings.LANGUAGE_COOKIE_NAME, seconds=settings.LANGUAGE_COOKIE_AGE)
    return response


def _referrer(request: HttpRequest) -> str:
    found = urlsplit(request.headers.get("referer", ""))
    return urlunsplit(("", "", found.path, found.query, "")) if found.netloc == request.get_host() else "/"


def translated(path: str, code: str) -> str:
    """Return where the page at a path stands in a language; personal pages stand at one address."""
    named = get_language_from_path(path)
    bare = path.removeprefix(f"/{named}") if named else path
    return bare if bare.startswith(PERSONAL) or code == settings.LANGUAGE_CODE else f"/{code}{bare}"


@register.simple_tag(takes_context=True)
def editions(context: Context) -> list[Edition]:
    """Return the page that is being made in each language; a page without a request has none."""
    request = context.get("request")
    if request is None:
        return []
    return [
        Edition(
            code=code,
            name=str(name),
            path=(path := translated(request.path_info, code)),
            address=root(request) + path,
            is_right_to_left=code in settings.LANGUAGES_BIDI,
            is_current=code == translation.get_language(),
        )
        for code, name in settings.LANGUAGES
    ]


def _is_read(response: HttpResponse) -> bool:
    """Tell whether somebody reads this: a page, or one that the browser has kept; no picture, file or missing page."""
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        return True
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    return is_page and response.status_code == HTTPStatus.OK


def _readers(request: HttpRequest) -> str:
    """Return the language that a reader has chosen, else the one they read in, else their browser's."""
    read_in = request.COOKIES.get(READ_IN, "")
    has_chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    return (
        read_in
        if read_in in dict(settings.LANGUAGES) and not has_chosen
        else get_language_from_request(request)
    )


def _remember(response: HttpResponse, code: str, *, cookie: str, seconds: int | None) -> None:
    response.set_cookie(
        cookie,
        code,
        max_age=seconds,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
