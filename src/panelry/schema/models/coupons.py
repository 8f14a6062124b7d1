"""Coupons: who may have how much off which orders."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now, Upper


class Coupon(models.Model):
    """Money off an order: a percentage or a fixed amount. Empty `service_ids` and `category_ids` mean: all.

    `uses` counts over all accounts, and the database refuses to count beyond `most_uses`.
    """

    id = models.AutoField(primary_key=True)
    code = models.TextField(unique=True)
    percent = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    fixed_micros = models.BigIntegerField(null=True)
    minimum_charge_micros = models.BigIntegerField(default=0, db_default=0)
    most_uses = models.IntegerField(null=True)
    most_per_account = models.IntegerField(null=True)
    uses = models.IntegerField(default=0, db_default=0)
    service_ids = ArrayField(models.IntegerField(), default=list, db_default=[])
    category_ids = ArrayField(models.SmallIntegerField(), default=list, db_default=[])
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    state = models.TextField(default="on", db_default="on")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "coupons"
        constraints = (
            models.CheckConstraint(condition=Q(code=Upper("code")), name="coupon_code_is_upper_case"),
            models.CheckConstraint(condition=Q(state__in=("on", "off")), name="coupon_state_is_known"),
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=100, fixed_micros__isnull=True)
                | Q(percent__isnull=True, fixed_micros__gt=0),
                name="coupon_is_a_percentage_or_an_amount",
            ),
            models.CheckConstraint(
                condition=Q(uses__gte=0) & (Q(most_uses__isnull=True) | Q(uses__lte=F("most_uses"))),
                name="coupon_is_used_at_most_its_limit",
            ),
        )

    def __str__(self) -> str:
        return self.code
