"""Pages that an operator writes: why, about, what binds; the blog, the changelog, questions, giveaways."""

from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from panelry import clock
from panelry.web.brand import brand
from panelry.web.content import prose, queries
from panelry.web.content.models.pages import Slug
from panelry.web.content.models.posts import Kind
from panelry.web.site import structured
from panelry.web.site.addresses import root, whole
from panelry.web.site.caching import public

PER_PAGE: Final = 20
IN_FEED: Final = 30
BINDING: Final = frozenset({Slug.TERMS, Slug.PRIVACY, Slug.REFUNDS})


@public
def page(request: HttpRequest, slug: str, version: int | None = None) -> HttpResponse:
    """Show a page as it holds now, or an earlier version of one that binds."""
    found = queries.page(slug, version)
    if found is None:
        raise Http404
    versions = queries.versions(slug) if slug in BINDING else {}
    shown = {
        "page": found,
        "versions": versions.values(),
        "is_binding": slug in BINDING,
        "is_earlier": bool(versions) and found.version != max(versions),
    }
    return render(request, "site/written.html", shown)


@public
def blog(request: HttpRequest) -> HttpResponse:
    """List posts, newest first."""
    return _listed(request, Kind.ARTICLE, "site/blog/list.html")


@public
def changelog(request: HttpRequest) -> HttpResponse:
    """List what changed for integrators, newest first, in full."""
    return _listed(request, Kind.RELEASE, "site/changelog.html")


@public
def post(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one post."""
    found = queries.post(Kind.ARTICLE, slug)
    if found is None:
        raise Http404
    more = [one for one in queries.posts(Kind.ARTICLE, most=4) if one.id != found.id][:3]
    data = structured.script(structured.posting(request, found))
    return render(request, "site/blog/post.html", {"post": found, "more": more, "structured": data})


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """Write the newest posts as an Atom feed, in the language of the address."""
    posts = queries.posts(Kind.ARTICLE, most=IN_FEED)
    name = brand(request)["brand"].name
    atom = Atom1Feed(
        title=_("%(name)s: blog") % {"name": name},
        link=whole(request, "blog"),
        description="",
        feed_url=whole(request, "feed"),
        language=get_language(),
    )
    for one in posts:
        atom.add_item(
            title=one.title,
            link=whole(request, "post", one.slug),
            description=prose.html(one.body, name=name).replace('href="/', f'href="{root(request)}/'),
            unique_id=whole(request, "post", one.slug),
            pubdate=one.published_at,
            updateddate=max(one.changed_at, one.published_at or one.changed_at),
        )
    return HttpResponse(atom.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")


@public
def faq(request: HttpRequest) -> HttpResponse:
    """Show all questions with their answers."""
    questions = queries.questions()
    data = structured.script(structured.faq(request, questions)) if questions else ""
    return render(request, "site/faq.html", {"questions": questions, "structured": data})


@public
def giveaways(request: HttpRequest) -> HttpResponse:
    """Show what is, will be and was given away."""
    found = queries.giveaways()
    now = clock.now()
    shown = {
        "running": [one for one in found if one.starts_at <= now < one.ends_at],
        "coming": [one for one in found if one.starts_at > now],
        "over": [one for one in found if one.ends_at <= now],
    }
    return render(request, "site/giveaways.html", shown)


def _listed(request: HttpRequest, kind: Kind, template: str) -> HttpResponse:
    slug = request.GET.get("after", "")
    before = queries.post(kind, slug) if slug else None
    if slug and before is None:
        raise Http404
    posts = queries.posts(kind, most=PER_PAGE + 1, before=before)
    shown: dict[str, Any] = {
        "posts": posts[:PER_PAGE],
        "older": f"?after={posts[PER_PAGE - 1].slug}" if len(posts) > PER_PAGE else None,
        "newest": "?" if before else None,
    }
    return render(request, template, shown)
