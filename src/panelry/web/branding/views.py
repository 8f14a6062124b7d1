"""The pictures of the brand, for browsers to keep: another picture has another address."""

import re
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from panelry.web import brand
from panelry.web.branding.pictures import SVG_TYPE

KEPT: Final = "public, max-age=31536000, immutable"
ALONE: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""What a picture may do that somebody opens by itself: show. Scripts in a drawing never run."""
MARK: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke-width="2.2"><style>'
    ".p{stroke:#1a2326}.l{stroke:%(accent)s}@media(prefers-color-scheme:dark){.p{stroke:#eef2f3}"
    ".l{stroke:oklch(from %(accent)s max(l,.7) c h)}}</style>"
    '<path class="p" d="M4 22V5a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v6a2 2 0 0 1-2 2H4"/>'
    '<path class="l" d="M8.5 8h7M9 17.5h11M9 21.5h6.5"/></svg>'
)


@require_safe
def logo(_request: HttpRequest, digest: str) -> HttpResponse:
    """Show the operator's logo."""
    picture = brand.logo()
    if picture is None or picture.digest != digest:
        raise Http404
    return _picture(picture.content, picture.type)


@require_safe
def mark(_request: HttpRequest, accent: str) -> HttpResponse:
    """Show our mark with its lines in a colour, six digits without `#`: the icon of the tab."""
    if not re.fullmatch("[0-9a-f]{6}", accent):
        raise Http404
    return _picture((MARK % {"accent": f"#{accent}"}).encode(), SVG_TYPE)


def _picture(content: bytes, type_: str) -> HttpResponse:
    headers = {"Content-Security-Policy": ALONE, "Cache-Control": KEPT}
    return HttpResponse(content, content_type=type_, headers=headers)
