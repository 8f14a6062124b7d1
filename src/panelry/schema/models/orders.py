"""Readers of the hot tables of orders; they are made by SQL in the migrations, with (account_id, id) as key."""

from django.db import models

from panelry.domain import ids
from panelry.schema.models.accounts import Account
from panelry.schema.models.catalog import Service
from panelry.schema.models.providers import Provider


class Order(models.Model):
    """One order of a customer."""

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    service = models.ForeignKey(Service, on_delete=models.DO_NOTHING, related_name="+")
    provider = models.ForeignKey(Provider, null=True, on_delete=models.DO_NOTHING, related_name="+")
    request_id = models.TextField(null=True)  # noqa: DJ001 (null means: a run of a drip-feed, nobody's request)
    type = models.TextField()
    parent = models.ForeignKey("self", null=True, on_delete=models.DO_NOTHING, related_name="children")
    run = models.IntegerField(null=True)
    link = models.TextField(null=True)  # noqa: DJ001 (null means: this type has no link)
    quantity = models.BigIntegerField()
    extras = models.JSONField()
    posts = models.IntegerField(null=True)
    posts_done = models.IntegerField()
    charge_micros = models.BigIntegerField()
    refunded_micros = models.BigIntegerField()
    coupon_micros = models.BigIntegerField()
    coupon_back_micros = models.BigIntegerField()
    state = models.TextField()
    sequence = models.IntegerField()
    start_count = models.BigIntegerField()
    remains = models.BigIntegerField()
    cancel_requested = models.BooleanField()
    due_at = models.DateTimeField()
    attempt = models.IntegerField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "orders"

    def __str__(self) -> str:
        return ids.show(ids.ORDER, self.id)


class Submission(models.Model):
    """One attempt to buy an order from a provider."""

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    order = models.ForeignKey(Order, on_delete=models.DO_NOTHING, related_name="submissions")
    provider = models.ForeignKey(Provider, on_delete=models.DO_NOTHING, related_name="+")
    provider_service = models.TextField()
    state = models.TextField()
    upstream_id = models.TextField(null=True)  # noqa: DJ001 (null means: none known; the unique index skips it)
    reason = models.TextField()
    message = models.TextField()
    evidence = models.JSONField()
    due_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempt = models.IntegerField()
    sent_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    unknown_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "submissions"

    def __str__(self) -> str:
        return ids.show(ids.SUBMISSION, self.id)


class ProviderCost(models.Model):
    """What one accepted submission costs us, in micros of the provider's currency."""

    submission_id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    provider = models.ForeignKey(Provider, on_delete=models.DO_NOTHING, related_name="+")
    expected_micros = models.BigIntegerField()
    charged_micros = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "provider_costs"

    def __str__(self) -> str:
        return str(self.submission_id)


class Cancel(models.Model):
    """A customer's request to cancel an order that was sent already."""

    order_id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    state = models.TextField()
    message = models.TextField()
    attempt = models.IntegerField()
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "cancels"

    def __str__(self) -> str:
        return ids.show(ids.ORDER, self.order_id)


class Refill(models.Model):
    """A refill that a customer asked for."""

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.DO_NOTHING, related_name="+")
    order = models.ForeignKey(Order, on_delete=models.DO_NOTHING, related_name="refills")
    provider = models.ForeignKey(Provider, on_delete=models.DO_NOTHING, related_name="+")
    state = models.TextField()
    upstream_id = models.TextField(null=True)  # noqa: DJ001 (null means: none known)
    message = models.TextField()
    attempt = models.IntegerField()
    due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "refills"

    def __str__(self) -> str:
        return ids.show(ids.REFILL, self.id)
