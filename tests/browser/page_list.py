"""Every page without parameters, read from the addresses themselves: a new page is looked at without being listed."""

from collections.abc import Iterator
from typing import Final

import django
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern

from panelry import settings as panelry_settings

PERSONAL: Final = (
    "/dashboard/",
    "/dashboard/orders/",
    "/dashboard/keys/",
    "/dashboard/keys/new/",
    "/sign-out/",
)
DOORS: Final = ("/sign-in/", "/sign-up/", "/sign-in/inactive/", "/styleguide/")


def public() -> list[str]:
    """Return the addresses of public pages, in English."""
    panelry_settings.choose_django_settings()
    django.setup()
    roots = [
        one
        for one in get_resolver().url_patterns
        if isinstance(one, URLResolver) and isinstance(one.pattern, LocalePrefixPattern)
    ]
    return sorted({path for root in roots for path in _paths(root, "/") if path.endswith("/")})


def documentation() -> list[str]:
    """Return those of the documentation."""
    return [path for path in public() if path.startswith("/developers/")]


def site() -> list[str]:
    """Return those of everything else."""
    return [path for path in public() if not path.startswith("/developers/")]


def _paths(resolver: URLResolver, before: str) -> Iterator[str]:
    for one in resolver.url_patterns:
        route = before + str(one.pattern)
        if "<" in route:
            continue
        if isinstance(one, URLPattern):
            yield route
        else:
            yield from _paths(one, route)
