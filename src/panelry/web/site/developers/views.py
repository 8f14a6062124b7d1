"""The documentation for developers: pages, the same as Markdown, and what programs look for."""

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe

from panelry.contract import openapi
from panelry.schema.models import User
from panelry.web.site.developers import pages, panel
from panelry.web.site.developers.html import Section, document
from panelry.web.site.developers.markdown import markdown
from panelry.web.site.developers.pages import BY_SLUG, FIRST, Page
from panelry.web.site.developers.rendering import page_path
from panelry.web.site.developers.texts import text
from panelry.web.site.developers.trying import Field, fields_of

PLAIN: Final = "text/plain; charset=utf-8"
MARKDOWN: Final = "text/markdown; charset=utf-8"


@require_safe
def page(request: HttpRequest, slug: str = FIRST) -> HttpResponse:
    """Show one page."""
    found, here, language = _page(slug), panel.of(request), get_language() or "en"
    shown = document(found, here, language)
    before, after = pages.around(found)
    return render(
        request,
        "site/developers/page.html",
        {
            "page": found,
            "document": shown,
            "sections": [(section, _trying(request, section)) for section in shown.sections],
            "groups": [(title, list(map(_link, group))) for title, group in pages.grouped()],
            "before": before and _link(before),
            "after": after and _link(after),
            "endpoint": here.endpoint,
            "may_try": isinstance(request.user, User) and request.user.account_id is not None,
        },
    )


@require_safe
def as_markdown(request: HttpRequest, slug: str = FIRST) -> HttpResponse:
    """Show one page as Markdown."""
    return HttpResponse(markdown(_page(slug), panel.of(request)), content_type=MARKDOWN)


@require_safe
def contract(_request: HttpRequest) -> HttpResponse:
    """Show the API as OpenAPI describes it."""
    return HttpResponse(openapi(), content_type="application/yaml")


@require_safe
def for_models(request: HttpRequest) -> HttpResponse:
    """Say what there is to read, as https://llmstxt.org has it."""
    here = panel.of(request)
    with override("en"):
        listed = [{"page": one, "text": text(one.slug, "en")} for one in pages.PAGES]
        shown = {"address": here.address, "listed": listed}
        return render(request, "site/developers/llms.txt", shown, content_type=PLAIN)


def _page(slug: str) -> Page:
    if slug not in BY_SLUG:
        raise Http404
    return BY_SLUG[slug]


def _link(page: Page) -> dict[str, Any]:
    return {
        "slug": page.slug,
        "path": page_path(page.slug),
        "title": text(page.slug, get_language() or "en").title,
    }


def _trying(_request: HttpRequest, section: Section) -> list[Field]:
    return fields_of(section.example) if section.example else []
