"""The addresses of the documentation for developers: pages in every language, files in one."""

from django.urls import URLPattern, URLResolver, path

from panelry.web.site.developers import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("developers/", views.page, name="developers"),
    path("developers.md", views.as_markdown, name="developers_markdown"),
    path("developers/<slug:slug>/", views.page, name="developer_page"),
    path("developers/<slug:slug>.md", views.as_markdown, name="developer_markdown"),
]
files: list[URLPattern | URLResolver] = [
    path("developers/openapi.yaml", views.contract, name="openapi"),
    path("llms.txt", views.for_models, name="llms"),
]
