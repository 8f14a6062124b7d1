"""What holds for the whole panel."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Panel(models.Model):
    """The one row: the wallets' currency, a seal that shows whether the secret key is still the same, a revision.

    `guards` is the digest of the guards that were applied last, `engine_seen_at` is when an engine was last alive.
    `catalog_revision` rises with every change that `services` would show, so that a cached list cannot outlive it.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    currency = models.CharField(max_length=3)
    seal = models.BinaryField()
    guards = models.BinaryField(null=True)
    engine_seen_at = models.DateTimeField(null=True)
    catalog_revision = models.BigIntegerField(default=1, db_default=1)

    class Meta:
        db_table = "panel"
        constraints = (models.CheckConstraint(condition=Q(id=1), name="panel_is_one_row"),)

    def __str__(self) -> str:
        return self.currency


class ApiProcess(models.Model):
    """A process that serves the API, so that each knows whether others count requests beside it."""

    id = models.UUIDField(primary_key=True)
    machine = models.TextField()
    pid = models.IntegerField()
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "api_processes"

    def __str__(self) -> str:
        return f"{self.machine} {self.pid}"
