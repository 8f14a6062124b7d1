"""The addresses of the documentation for developers: pages in every language, files in one."""

from django.urls import URLPattern, URLResolver, path

from panelry.web.site.developers import views
from panelry.web.site.developers.pages import FIRST, PAGES

urlpatterns: list[URLPattern | URLResolver] = [
    path("developers.md", views.as_markdown, {"slug": FIRST}),
    *(path(page.address, views.page, {"slug": page.slug}, name=page.name) for page in PAGES),
    *(path(page.file, views.as_markdown, {"slug": page.slug}, name=f"{page.name}.md") for page in PAGES),
]
files: list[URLPattern | URLResolver] = [
    path("developers/openapi.yaml", views.contract, name="openapi"),
    path("llms.txt", views.for_models, name="llms"),
]
