"""What public pages ask of the content: only what is published, never more than a page of it."""

from datetime import timedelta
from typing import Final

from django.db.models import Q

from panelry import clock
from panelry.web.content.models import Giveaway, Incident, Page, Post, Question
from panelry.web.content.models.posts import Kind

MOST_QUESTIONS: Final = 200
MOST_GIVEAWAYS: Final = 50
MOST_INCIDENTS: Final = 30
INCIDENTS_FOR: Final = timedelta(days=90)


def page(slug: str, version: int | None = None) -> Page | None:
    """Return a page as it holds now, or one of its versions; `None` where there is none."""
    of_slug = Page.objects.filter(slug=slug, published_at__lte=clock.now())
    if version is not None:
        return of_slug.filter(version=version).first()
    return of_slug.order_by("-version").first()


def versions(slug: str) -> dict[int, Page]:
    """Return the versions of a page, the newest first; texts are not read."""
    published = Page.objects.filter(slug=slug, published_at__lte=clock.now())
    return {one.version: one for one in published.only("version", "published_at").order_by("-version")[:100]}


def posts(kind: Kind, *, most: int, before: Post | None = None) -> list[Post]:
    """Return published posts of a kind, newest first; `before` is the one to go on from."""
    published = Post.objects.filter(kind=kind, published_at__lte=clock.now())
    if before is not None:
        is_earlier = Q(published_at__lt=before.published_at)
        published = published.filter(is_earlier | Q(published_at=before.published_at, id__lt=before.id))
    return list(published.order_by("-published_at", "-id")[:most])


def post(kind: Kind, slug: str) -> Post | None:
    """Return one published post; `None` where there is none."""
    return Post.objects.filter(kind=kind, slug=slug, published_at__lte=clock.now()).first()


def questions() -> list[Question]:
    """Return the questions that are shown, in their order."""
    return list(Question.objects.filter(is_shown=True).order_by("position", "id")[:MOST_QUESTIONS])


def giveaways() -> list[Giveaway]:
    """Return giveaways, those that end last first."""
    return list(Giveaway.objects.filter(is_shown=True).order_by("-ends_at", "-id")[:MOST_GIVEAWAYS])


def incidents() -> list[Incident]:
    """Return the incidents of the last 90 days and those that last, newest first, with their notes."""
    recent = Q(ended_at__isnull=True) | Q(ended_at__gte=clock.now() - INCIDENTS_FOR)
    found = Incident.objects.filter(recent).order_by("-began_at", "-id").prefetch_related("notes")
    return list(found[:MOST_INCIDENTS])
