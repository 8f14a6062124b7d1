"""The one row of the brand."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

ONLY = 1
LONGEST_NAME = 40


class Branding(models.Model):
    """What the panel is called and how it looks; there is one row, made by the migration, and it is never deleted.

    An empty name stands for Panelry's, an empty accent (else `#rrggbb`) and an empty logo for our own.
    """

    id = models.SmallIntegerField(primary_key=True, default=ONLY, editable=False)
    name = models.CharField(_("Name"), max_length=LONGEST_NAME, blank=True, default="", db_default="")
    accent = models.CharField(_("Accent"), max_length=7, blank=True, default="", db_default="")
    logo = models.BinaryField(default=b"", db_default=b"", editable=False)
    logo_type = models.CharField(max_length=20, default="", db_default="", editable=False)

    class Meta:
        db_table = "branding"
        verbose_name = verbose_name_plural = _("Brand")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=ONLY), name="there_is_one_brand"),
            models.CheckConstraint(
                condition=Q(accent="") | Q(accent__regex="^#[0-9a-f]{6}$"), name="accent_is_a_colour"
            ),
            models.CheckConstraint(condition=Q(logo=b"") | ~Q(logo_type=""), name="logo_has_a_type"),
        ]

    def __str__(self) -> str:
        return self.name or "Panelry"
