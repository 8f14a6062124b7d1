"""Accounts, the people who log in to them, tiers and API keys."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now

from panelry.domain import ids


class Tier(models.Model):
    """A level of customers, reached by lifetime deposits of `threshold_micros`.

    `per_minute` limits requests over all keys of an account together; `discount_percent` comes off every rate.
    """

    id = models.SmallAutoField(primary_key=True)
    name = models.TextField(unique=True)
    per_minute = models.IntegerField()
    position = models.SmallIntegerField(unique=True)
    threshold_micros = models.BigIntegerField(default=0, db_default=0)
    discount_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0, db_default=0)

    class Meta:
        db_table = "tiers"
        constraints = (
            models.CheckConstraint(condition=Q(per_minute__gt=0), name="tier_limit_is_positive"),
            models.CheckConstraint(
                condition=Q(threshold_micros__gte=0), name="tier_threshold_is_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(discount_percent__gte=0, discount_percent__lt=100),
                name="tier_discount_is_a_percentage",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """A customer: owns a wallet, keys and orders."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    tier = models.ForeignKey(Tier, on_delete=models.PROTECT)
    state = models.TextField(default="active")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "accounts"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("active", "suspended")), name="account_state_is_known"
            ),
        )

    def __str__(self) -> str:
        return ids.show(ids.ACCOUNT, self.id)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in by e-mail; customers have an account, staff need none."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    email = models.EmailField(unique=True)
    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.PROTECT, related_name="users"
    )
    is_staff = models.BooleanField(default=False, db_default=False)
    is_active = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(db_default=Now())

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = BaseUserManager["User"]()

    class Meta:
        db_table = "users"
        constraints = (
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_is_lower_case"),
        )

    def __str__(self) -> str:
        return self.email


class ApiKey(models.Model):
    """The SHA-256 and the first characters of a key; the key itself is shown once and stored nowhere.

    Rotation gives the row a new digest and prefix: label, limit, use and webhooks stay with it.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="keys")
    prefix = models.TextField(unique=True)
    digest = models.BinaryField(unique=True)
    label = models.TextField(default="", db_default="", blank=True)
    per_minute = models.IntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    rotated_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "api_keys"
        constraints = (models.CheckConstraint(condition=Q(per_minute__gt=0), name="key_limit_is_positive"),)

    def __str__(self) -> str:
        return self.prefix
