"""What programs read: robots.txt and the sitemap."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.contrib.sitemaps import views as sitemaps
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from panelry.web.content import queries
from panelry.web.content.models import Post
from panelry.web.content.models.posts import Kind
from panelry.web.site import price_list
from panelry.web.site.addresses import root
from panelry.web.site.developers import pages as developers
from panelry.web.site.price_list import Entry

if TYPE_CHECKING:
    _Sitemap = Sitemap[Any]
else:
    _Sitemap = Sitemap

PAGES: Final = (
    "home", "services", "pricing", "why", "about", "blog", "faq", "giveaways", "contact", "terms", "privacy", "refunds",
    "updates", "status", "changelog",
)  # fmt: skip
PRIVATE: Final = ("/dashboard/", "/office/", "/sign-in/", "/sign-out/", "/sign-up/", "/language/")
MOST_POSTS: Final = 5_000


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Tell programs what they may read."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE)]
    lines += ["", f"Sitemap: {root(request)}{reverse('sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


class _Localized(_Sitemap):
    """Addresses in every language, each naming the others."""

    i18n = True
    alternates = True
    x_default = True
    limit = 1_000

    def get_protocol(self, protocol: str | None = None) -> str:
        return "https" if settings.SESSION_COOKIE_SECURE else super().get_protocol(protocol)


class Pages(_Localized):
    """The pages that every panel has."""

    def items(self) -> Sequence[str]:
        return (*PAGES, *(page.name for page in developers.PAGES))

    def location(self, item: str) -> str:
        return reverse(item)


class Services(_Localized):
    """A page for each service on sale."""

    def items(self) -> Sequence[Entry]:
        return price_list.current().entries

    def location(self, item: Entry) -> str:
        return reverse("service", args=[item.listing.id])


class Posts(_Localized):
    """What stands on the blog."""

    def items(self) -> Sequence[Post]:
        return queries.posts(Kind.ARTICLE, most=MOST_POSTS)

    def lastmod(self, item: Post) -> datetime:
        return item.changed_at

    def location(self, item: Post) -> str:
        return reverse("post", args=[item.slug])


SECTIONS: Final[dict[str, type[_Sitemap] | _Sitemap]] = {"pages": Pages, "services": Services, "posts": Posts}


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """List the parts of the sitemap."""
    return sitemaps.index(request, sitemaps=SECTIONS, sitemap_url_name="sitemap_part")


@require_safe
def sitemap_part(request: HttpRequest, section: str) -> HttpResponse:
    """List one part, at most a thousand pages of it in all languages together."""
    return sitemaps.sitemap(request, sitemaps=SECTIONS, section=section)
