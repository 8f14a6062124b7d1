"""What staff say about trouble, for the status page."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from panelry.web.content.models.writing import Written


class Impact(models.TextChoices):
    """What customers notice."""

    MAINTENANCE = "maintenance", _("Maintenance")
    DEGRADED = "degraded", _("Slower or in part")
    OUTAGE = "outage", _("Not available")


class Incident(Written):
    """A trouble, or a planned maintenance; over once it has an end."""

    impact = models.CharField(_("impact"), max_length=12, choices=Impact, default=Impact.DEGRADED)
    began_at = models.DateTimeField(_("began"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta(Written.Meta):
        abstract = False
        db_table = "content_incidents"
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        indexes = (models.Index(fields=["-began_at"], name="content_incidents_newest"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("began_at")),
                name="incident_ends_after_it_began",
                violation_error_message=_("It cannot end before it began."),
            ),
        )


class IncidentNote(models.Model):
    """What became known about an incident, and when."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="notes")
    at = models.DateTimeField(_("at"))
    text_en = models.CharField(_("English"), max_length=500)
    text_tr = models.CharField(_("Turkish"), max_length=500, blank=True)
    text_ar = models.CharField(_("Arabic"), max_length=500, blank=True)

    class Meta:
        db_table = "content_incident_notes"
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return self.text_en

    @property
    def text(self) -> str:
        """Return what its reader sees."""
        return str(getattr(self, f"text_{get_language()}", "") or self.text_en)
