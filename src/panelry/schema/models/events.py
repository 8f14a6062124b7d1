"""Reader of the timeline."""

from django.db import models

from panelry.schema.models.accounts import Account


class Event(models.Model):
    """One change of one subject; the key is (subject, account_id, sequence)."""

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    subject = models.UUIDField()
    sequence = models.IntegerField()
    type = models.TextField()
    data = models.JSONField()
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "events"

    def __str__(self) -> str:
        return self.type
