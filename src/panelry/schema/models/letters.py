"""Letters to people that wait for the mail server, and those that went out."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from panelry.domain import ids


class Letter(models.Model):
    """A letter by its template and what is filled in; with a `reference` it is written only once."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    recipient = models.EmailField()
    template = models.TextField()
    data = models.JSONField()
    reference = models.TextField(null=True, unique=True)  # noqa: DJ001 (null means: has none)
    state = models.TextField(default="waiting", db_default="waiting")
    attempt = models.IntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(null=True)
    message = models.TextField(default="", db_default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "letters"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "sent", "failed")), name="letter_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", due_at__isnull=False)
                | ~Q(state="waiting") & Q(due_at__isnull=True),
                name="letter_is_due_while_it_waits",
            ),
        )
        indexes = (models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="letters_due"),)

    def __str__(self) -> str:
        return f"{self.template} to {self.recipient}"
