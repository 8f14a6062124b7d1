"""What an operator might have written, for the demonstration; written once, and then it is the operator's."""

from datetime import timedelta
from typing import Final

from panelry import clock
from panelry.web.content import files
from panelry.web.content.models import Giveaway, Post
from panelry.web.content.models.posts import Kind

NOTICE: Final = "demonstration"
GIVEAWAY: Final = "first-letter"
LASTS: Final = timedelta(days=14)


def fill() -> None:
    """Write an announcement and a giveaway, unless that was done before."""
    if Post.objects.filter(slug=NOTICE).exists():
        return
    now = clock.now()
    texts = dict(files.documents("demonstration"))
    Post(slug=NOTICE, kind=Kind.NOTICE, published_at=now, **texts[NOTICE]).save()
    Giveaway(slug=GIVEAWAY, starts_at=now, ends_at=now + LASTS, **texts[GIVEAWAY]).save()
