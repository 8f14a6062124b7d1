"""Upstream providers and the snapshots of their lists."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Provider(models.Model):
    """An upstream panel. Its key is sealed; `currency_rate` is the worth of one unit of its currency in ours."""

    id = models.SmallAutoField(primary_key=True)
    name = models.TextField(unique=True)
    url = models.TextField()
    sealed_key = models.BinaryField()
    dialect = models.TextField(default="panel_v2", db_default="panel_v2")
    bends = models.JSONField(default=dict, db_default={})
    state = models.TextField(default="active", db_default="active")
    pause_reason = models.TextField(default="", db_default="", blank=True)
    broken_until = models.DateTimeField(null=True)
    currency = models.TextField(default="", db_default="", blank=True)
    currency_rate = models.DecimalField(max_digits=20, decimal_places=10, default=1, db_default=1)
    balance_micros = models.BigIntegerField(null=True)
    balance_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    max_in_flight = models.SmallIntegerField(default=8, db_default=8)
    per_second = models.SmallIntegerField(default=20, db_default=20)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "providers"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("active", "paused")), name="provider_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(max_in_flight__gt=0, per_second__gt=0, currency_rate__gt=0),
                name="provider_limits_are_positive",
            ),
        )

    def __str__(self) -> str:
        return self.name


class ProviderService(models.Model):
    """One row of a provider's list as last seen; `rate_micros` in the provider's currency, per 1,000 or package."""

    pk = models.CompositePrimaryKey("provider_id", "service")
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="services")
    service = models.TextField()
    name = models.TextField()
    type = models.TextField()
    category = models.TextField()
    rate_micros = models.BigIntegerField()
    minimum = models.BigIntegerField(null=True)
    maximum = models.BigIntegerField(null=True)
    dripfeed = models.BooleanField()
    refill = models.BooleanField()
    cancel = models.BooleanField()
    description = models.TextField()
    average_time = models.TextField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "provider_services"

    def __str__(self) -> str:
        return f"{self.service} {self.name}"
