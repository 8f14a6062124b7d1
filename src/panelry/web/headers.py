"""What browsers may do with our pages (Content-Security-Policy)."""

import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse

ADMIN: Final = "/office/admin/"
STRICT: Final = (
    "default-src 'none'; style-src 'self' 'nonce-{nonce}'; script-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Unfold writes styles into its pages and lets Alpine evaluate attributes; what stands there is escaped by Django.
FOR_ADMIN: Final = STRICT.replace(
    "style-src 'self' 'nonce-{nonce}'", "style-src 'self' 'unsafe-inline'"
).replace("script-src 'self' 'nonce-{nonce}'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'")


class ContentSecurityPolicy:
    """Middleware: nothing but our own files on our own pages, and inline only what carries this answer's nonce.

    The admin alone may run other inline code. A view that sets a policy of its own keeps it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap the rest of the middleware."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the policy of the path; templates find the nonce as `request.csp_nonce`."""
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = self.get_response(request)
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            return response  # the page that the browser kept goes with the policy, and the nonce, that came with it
        policy = FOR_ADMIN if request.path_info.startswith(ADMIN) else STRICT.format(nonce=nonce)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
