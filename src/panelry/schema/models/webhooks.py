"""Customers' endpoints, and readers of what was delivered to them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from panelry.domain import ids
from panelry.schema.models.accounts import Account, ApiKey


class Webhook(models.Model):
    """An endpoint of an account, counted for the key that made it (none: the dashboard).

    Secrets are sealed by the vault. After a rotation the former one signs beside the new one until
    `former_secret_until`. `failing_since` is when the first attempt failed after the last success. `tests` counts the
    test events.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="webhooks")
    key = models.ForeignKey(ApiKey, null=True, on_delete=models.PROTECT, related_name="webhooks")
    url = models.TextField()
    events = ArrayField(models.TextField())
    sealed_secret = models.BinaryField()
    sealed_former_secret = models.BinaryField(null=True)
    former_secret_until = models.DateTimeField(null=True)
    state = models.TextField(default="active", db_default="active")
    reason = models.TextField(default="", db_default="", blank=True)
    failing_since = models.DateTimeField(null=True)
    last_attempt_at = models.DateTimeField(null=True)
    last_result = models.TextField(default="", db_default="", blank=True)
    last_success_at = models.DateTimeField(null=True)
    tests = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "webhooks"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("active", "disabled", "removed")), name="webhook_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(sealed_former_secret__isnull=True, former_secret_until__isnull=True)
                | Q(sealed_former_secret__isnull=False, former_secret_until__isnull=False),
                name="webhook_former_secret_has_an_end",
            ),
        )

    def __str__(self) -> str:
        return ids.show(ids.WEBHOOK, self.id)


class Delivery(models.Model):
    """Reader of `deliveries`, whose key is (account_id, webhook_id, event_id)."""

    event_id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    webhook = models.ForeignKey(Webhook, on_delete=models.DO_NOTHING, related_name="+")
    subject = models.UUIDField()
    sequence = models.IntegerField()
    state = models.TextField()
    attempt = models.IntegerField()
    attempts = models.IntegerField()
    due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "deliveries"

    def __str__(self) -> str:
        return ids.show(ids.EVENT, self.event_id)


class DeliveryAttempt(models.Model):
    """Reader of `delivery_attempts`, whose key is (account_id, webhook_id, event_id, number)."""

    event_id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    webhook = models.ForeignKey(Webhook, on_delete=models.DO_NOTHING, related_name="+")
    number = models.IntegerField()
    at = models.DateTimeField()
    took_milliseconds = models.IntegerField()
    status = models.IntegerField(null=True)
    error = models.TextField()
    response = models.TextField()

    class Meta:
        managed = False
        db_table = "delivery_attempts"

    def __str__(self) -> str:
        return f"{ids.show(ids.EVENT, self.event_id)} {self.number}"
