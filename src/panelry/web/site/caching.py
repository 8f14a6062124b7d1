"""Public pages: only read, and not sent again to a browser that has kept them."""

import hashlib
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

View = Callable[..., HttpResponse]


def public(view: View) -> View:
    """Serve a page that anybody may read; browsers keep it, and ask whether it is still the same.

    It is the same while its bytes are, apart from the nonce that each answer has. What a signed-in reader sees is kept by
    their own browser only.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_vary_headers(response, ("Cookie",))
        if response.status_code != HTTPStatus.OK:
            return response
        is_personal = request.user.is_authenticated
        response.headers.setdefault("Cache-Control", "private, no-cache" if is_personal else "no-cache")
        nonce = str(getattr(request, "csp_nonce", "")).encode()
        body = response.content.replace(nonce, b"") if nonce else response.content
        etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
        response.headers["ETag"] = etag
        kept = get_conditional_response(request, etag=etag, response=response)
        assert isinstance(kept, HttpResponse)
        return kept

    guarded: View = require_safe(answer)
    return guarded
