"""Puts our first texts into a panel that lacks them. Nothing that an operator wrote, changed or hid is touched.

That is why texts are hidden and never deleted: what is missing was never there.
"""

from typing import Final

from panelry import clock
from panelry.web.content import files
from panelry.web.content.models import Page, Post, Question
from panelry.web.content.models.posts import Kind

_POSTS: Final = {"posts": Kind.ARTICLE, "releases": Kind.RELEASE}


def install() -> int:
    """Write what is missing, and return how many texts that were."""
    missing = [*_pages(), *_posts(), *_questions()]
    for one in missing:
        one.save()
    return len(missing)


def _pages() -> list[Page]:
    known = set(Page.objects.values_list("slug", flat=True))
    found = files.documents("pages")
    return [Page(slug=slug, version=1, **fields) for slug, fields in found if slug not in known]


def _posts() -> list[Post]:
    known = set(Post.objects.values_list("slug", flat=True))
    return [
        Post(slug=slug, kind=kind, published_at=clock.now(), **fields)
        for folder, kind in _POSTS.items()
        for slug, fields in files.documents(folder)
        if slug not in known
    ]


def _questions() -> list[Question]:
    known = set(Question.objects.values_list("slug", flat=True))
    return [
        Question(slug=one.slug, topic=one.topic, position=one.position, **one.fields)
        for one in files.questions()
        if one.slug not in known
    ]
