"""What browsers may do with our pages (Content-Security-Policy)."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

ADMIN: Final = "/office/admin/"
STRICT: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Unfold writes styles into its pages and lets Alpine evaluate attributes; what stands there is escaped by Django.
FOR_ADMIN: Final = STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
    "script-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'"
)


class ContentSecurityPolicy:
    """Middleware: nothing but our own files on our own pages; the admin alone may run inline code."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Wrap the rest of the middleware."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the policy of the path."""
        response = self.get_response(request)
        policy = FOR_ADMIN if request.path_info.startswith(ADMIN) else STRICT
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
