"""What is sold: categories, services and the routes by which they are bought."""

from django.db import models
from django.db.models import F, Q

from panelry.schema.models.providers import Provider


class Category(models.Model):
    """A heading of the price list."""

    id = models.SmallAutoField(primary_key=True)
    name = models.TextField(unique=True)
    position = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "categories"
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Service(models.Model):
    """One thing for sale: `rate_micros` per `rate_per` units (1,000, or 1 where priced per package)."""

    id = models.AutoField(primary_key=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="services")
    name = models.TextField()
    description = models.TextField(default="", db_default="", blank=True)
    type = models.TextField(default="Default", db_default="Default")
    rate_micros = models.BigIntegerField()
    rate_per = models.SmallIntegerField(default=1000, db_default=1000)
    minimum = models.BigIntegerField()
    maximum = models.BigIntegerField()
    dripfeed = models.BooleanField(default=False, db_default=False)
    refill = models.BooleanField(default=False, db_default=False)
    cancel = models.BooleanField(default=False, db_default=False)
    average_time = models.TextField(default="", db_default="", blank=True)
    position = models.IntegerField(default=0, db_default=0)
    state = models.TextField(default="on_sale", db_default="on_sale")

    class Meta:
        db_table = "services"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("on_sale", "off_sale")), name="service_state_is_known"
            ),
            models.CheckConstraint(condition=Q(rate_per__in=(1, 1000)), name="service_rate_is_per_1_or_1000"),
            models.CheckConstraint(condition=Q(rate_micros__gte=0), name="service_rate_is_not_negative"),
            models.CheckConstraint(
                condition=Q(minimum__gte=1, maximum__gte=F("minimum")), name="service_limits_are_in_order"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Route(models.Model):
    """One way to buy a service: lower priority first."""

    id = models.AutoField(primary_key=True)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="routes")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="routes")
    provider_service = models.TextField()
    priority = models.SmallIntegerField(default=100, db_default=100)
    state = models.TextField(default="on", db_default="on")

    class Meta:
        db_table = "routes"
        constraints = (
            models.CheckConstraint(condition=Q(state__in=("on", "off")), name="route_state_is_known"),
            models.UniqueConstraint("service", "provider", "provider_service", name="route_is_listed_once"),
        )

    def __str__(self) -> str:
        return f"{self.service_id} by {self.provider_id}"
