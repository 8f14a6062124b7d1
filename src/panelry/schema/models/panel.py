"""What holds for the whole panel."""

from django.db import models
from django.db.models import Q


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
