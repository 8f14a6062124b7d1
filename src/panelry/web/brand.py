"""What an operator's panel is called, and how it looks."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from django.db import Error
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from panelry import clock
from panelry.web.branding.models import Branding

KEPT_SECONDS: Final = 3.0
"""How long a process goes by what it has read; a change is seen everywhere after that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """A name, an accent as `#rrggbb` or empty for our own, and the digest of a logo or empty for our mark."""

    name: str = "Panelry"
    accent: str = ""
    logo_digest: str = ""

    @property
    def logo_url(self) -> str:
        """Where the logo is; empty where there is none."""
        return reverse("brand_logo", args=[self.logo_digest]) if self.logo_digest else ""

    @property
    def icon_url(self) -> str:
        """Where the icon for the browser's tab is: the logo, or our mark in the accent."""
        return self.logo_url or (
            reverse("brand_mark", args=[self.accent[1:]]) if self.accent else static("panelry/mark.svg")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A picture as it was uploaded."""

    content: bytes
    type: str
    digest: str


_read: tuple[float, Brand] | None = None


def current() -> Brand:
    """Return the brand, at most `KEPT_SECONDS` old; without a database as it was known last."""
    global _read  # noqa: PLW0603 (one value of the process, replaced as a whole)
    if _read is None or clock.monotonic() - _read[0] > KEPT_SECONDS:
        try:
            row = _row()
        except Error:
            return _read[1] if _read else Brand()
        digest = sha256(bytes(row.logo)).hexdigest()[:16] if row.logo else ""
        _read = clock.monotonic(), Brand(name=str(row), accent=row.accent, logo_digest=digest)
    return _read[1]


def forget() -> None:
    """Read the brand again when it is asked for next."""
    global _read  # noqa: PLW0603 (see above)
    _read = None


def logo() -> Logo | None:
    """Return the logo as it is stored now."""
    row = _row()
    content = bytes(row.logo)
    return (
        Logo(content=content, type=row.logo_type, digest=sha256(content).hexdigest()[:16])
        if content
        else None
    )


def brand(_request: HttpRequest) -> dict[str, Brand]:
    """Give every template the brand: a context processor."""
    return {"brand": current()}


def _row() -> Branding:
    return Branding.objects.get()
