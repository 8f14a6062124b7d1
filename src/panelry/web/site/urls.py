"""The addresses of public pages, each in every language, and of what programs read, once."""

from django.urls import URLPattern, URLResolver, path

from panelry.web.content.models.pages import Slug
from panelry.web.site import contact, landing, machines, offers, pricing, reading, status, updates

urlpatterns: list[URLPattern | URLResolver] = [
    path("", landing.home, name="home"),
    path("services/", offers.services, name="services"),
    path("services/<int:number>/", offers.service, name="service"),
    path("pricing/", pricing.pricing, name="pricing"),
    path("why/", reading.page, {"slug": Slug.WHY}, name="why"),
    path("about/", reading.page, {"slug": Slug.ABOUT}, name="about"),
    path("blog/", reading.blog, name="blog"),
    path("blog/feed.xml", reading.feed, name="feed"),
    path("blog/<slug:slug>/", reading.post, name="post"),
    path("faq/", reading.faq, name="faq"),
    path("giveaways/", reading.giveaways, name="giveaways"),
    path("contact/", contact.contact, name="contact"),
    path("contact/sent/", contact.sent, name="contact_sent"),
    path("updates/", updates.updates, name="updates"),
    path("status/", status.status, name="status"),
    path("changelog/", reading.changelog, name="changelog"),
]
for _slug in (Slug.TERMS, Slug.PRIVACY, Slug.REFUNDS):
    urlpatterns += [
        path(f"{_slug.value}/", reading.page, {"slug": _slug}, name=_slug.value),
        path(f"{_slug.value}/<int:version>/", reading.page, {"slug": _slug}, name=f"{_slug.value}_version"),
    ]
files: list[URLPattern | URLResolver] = [
    path("robots.txt", machines.robots, name="robots"),
    path("sitemap.xml", machines.sitemap, name="sitemap"),
    path("sitemap-<slug:section>.xml", machines.sitemap_part, name="sitemap_part"),
]
