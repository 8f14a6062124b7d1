"""Wallets and their transfers. The database refuses what must never happen (migrations, guards.sql)."""

from django.db import models
from django.db.models import Q

from panelry.schema.models.accounts import Account


class Wallet(models.Model):
    """One per account: balance in micros, version (gapless, one per transfer) and head of its hash chain.

    The owner is told when the balance falls below `low_balance_micros`, where that is set.
    """

    account = models.OneToOneField(Account, primary_key=True, on_delete=models.PROTECT, related_name="wallet")
    balance_micros = models.BigIntegerField(default=0, db_default=0)
    version = models.BigIntegerField(default=0, db_default=0)
    head = models.BinaryField()
    low_balance_micros = models.BigIntegerField(null=True)

    class Meta:
        db_table = "wallets"
        constraints = (
            models.CheckConstraint(condition=Q(balance_micros__gte=0), name="wallet_is_never_negative"),
            models.CheckConstraint(condition=Q(version__gte=0), name="wallet_version_counts_up"),
            models.CheckConstraint(
                condition=Q(low_balance_micros__gt=0), name="wallet_low_balance_is_positive"
            ),
        )

    def __str__(self) -> str:
        return f"wallet of {self.account_id}"


class Transfer(models.Model):
    """Reader of `transfers`, whose key is (account_id, version): several rows may share a posting."""

    posting = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    version = models.BigIntegerField()
    source = models.TextField()
    target = models.TextField()
    amount_micros = models.BigIntegerField()
    balance_micros = models.BigIntegerField()
    order_id = models.UUIDField(null=True)
    reference = models.TextField(null=True)  # noqa: DJ001 (null means: has none; the unique index skips it)
    reason = models.TextField()
    actor = models.TextField()
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "transfers"

    def __str__(self) -> str:
        return f"{self.source} to {self.target}"
