"""Texts in every language; where one is missing, its reader sees the English one."""

from typing import Final

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

LONGEST_BODY: Final = 100_000
_BODY: Final = [MaxLengthValidator(LONGEST_BODY)]


class Written(models.Model):
    """A title, a sentence that sums up, and a body in Markdown, each in English, Turkish and Arabic."""

    title_en = models.CharField(_("Title, English"), max_length=200)
    title_tr = models.CharField(_("Title, Turkish"), max_length=200, blank=True)
    title_ar = models.CharField(_("Title, Arabic"), max_length=200, blank=True)
    description_en = models.CharField(_("Summary, English"), max_length=320, blank=True)
    description_tr = models.CharField(_("Summary, Turkish"), max_length=320, blank=True)
    description_ar = models.CharField(_("Summary, Arabic"), max_length=320, blank=True)
    body_en = models.TextField(_("Text, English"), validators=_BODY)
    body_tr = models.TextField(_("Text, Turkish"), validators=_BODY, blank=True)
    body_ar = models.TextField(_("Text, Arabic"), validators=_BODY, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title_en

    @property
    def language(self) -> str:
        """Return the language that its reader sees: their own where there is a text in it."""
        asked = get_language() or "en"
        return asked if getattr(self, f"body_{asked}", "") else "en"

    @property
    def title(self) -> str:
        """Return the title as its reader sees it."""
        return self._said("title")

    @property
    def description(self) -> str:
        """Return the summary as its reader sees it."""
        return self._said("description")

    @property
    def body(self) -> str:
        """Return the body as its reader sees it, in Markdown."""
        return self._said("body")

    def _said(self, part: str) -> str:
        return str(getattr(self, f"{part}_{self.language}") or getattr(self, f"{part}_en"))
