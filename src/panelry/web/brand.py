"""What an operator's panel is called, and how it looks."""

from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A name, an accent as `#rrggbb` or none for our own, and the address of a logo or none for our mark."""

    name: str = "Panelry"
    accent: str = ""
    logo_url: str = ""


def brand(_request: HttpRequest) -> dict[str, Brand]:
    """Give every template the brand: a context processor."""
    return {"brand": Brand()}
