"""The documentation for developers: pages, the same as Markdown, and what programs look for."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe

from panelry.contract import openapi
from panelry.schema.models import User
from panelry.web.site.caching import public
from panelry.web.site.developers import pages, panel
from panelry.web.site.developers.html import Section, document
from panelry.web.site.developers.markdown import markdown
from panelry.web.site.developers.pages import BY_SLUG, Page
from panelry.web.site.developers.rendering import page_path, plain
from panelry.web.site.developers.texts import text
from panelry.web.site.developers.trying import Field, fields_of

PLAIN: Final = "text/plain; charset=utf-8"
MARKDOWN: Final = "text/markdown; charset=utf-8"


@public
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one page."""
    found, here, language = BY_SLUG[slug], panel.of(request), get_language() or "en"
    shown = document(found, here, language)
    before, after = pages.around(found)
    return render(
        request,
        "site/developers/page.html",
        {
            "page": found,
            "document": shown,
            "sections": [(section, _trying(section)) for section in shown.sections],
            "file": reverse(f"{found.name}.md"),
            "groups": [(title, list(map(_link, group))) for title, group in pages.grouped()],
            "before": before and _link(before),
            "after": after and _link(after),
            "endpoint": here.endpoint,
            "may_try": isinstance(request.user, User) and request.user.account_id is not None,
        },
    )


@require_safe
def as_markdown(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one page as Markdown."""
    return HttpResponse(markdown(BY_SLUG[slug], panel.of(request)), content_type=MARKDOWN)


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


def _link(page: Page) -> dict[str, Any]:
    return {
        "slug": page.slug,
        "path": page_path(page.slug),
        "title": plain(text(page.slug, get_language() or "en").title),
    }


def _trying(section: Section) -> list[Field]:
    return fields_of(section.example) if section.example else []
