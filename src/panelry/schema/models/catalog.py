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
    """One thing for sale: `rate_micros` per `rate_per` units (1,000, or 1 where priced per package).

    While `follows_prices`, the rate is what the best route costs, and `markup_percent`, and `markup_micros`, rounded up
    to whole `rounding_micros`. A refill may be asked for within `refill_days` of the end, `refill_most` times.
    """

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
    off_reason = models.TextField(default="", db_default="", blank=True)
    follows_prices = models.BooleanField(default=True, db_default=True)
    markup_percent = models.DecimalField(max_digits=12, decimal_places=6, default=0, db_default=0)
    markup_micros = models.BigIntegerField(default=0, db_default=0)
    rounding_micros = models.BigIntegerField(default=1, db_default=1)
    below_cost = models.BooleanField(default=False, db_default=False)
    refill_days = models.SmallIntegerField(default=30, db_default=30)
    refill_most = models.SmallIntegerField(default=3, db_default=3)

    class Meta:
        db_table = "services"
        constraints = (
            models.CheckConstraint(
                condition=Q(off_reason__in=("", "staff", "unclear", "vanished", "below_cost")),
                name="service_off_reason_is_known",
            ),
            models.CheckConstraint(
                condition=Q(markup_percent__gte=0, markup_micros__gte=0, rounding_micros__gte=1),
                name="service_margin_is_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(refill_days__gte=0, refill_most__gte=0),
                name="service_refill_terms_are_not_negative",
            ),
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
    """One way to buy a service: lower priority first.

    `cost_micros` is the provider's price that ours counts with, in its currency, per `rate_per` units of the service.
    """

    id = models.AutoField(primary_key=True)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="routes")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="routes")
    provider_service = models.TextField()
    priority = models.SmallIntegerField(default=100, db_default=100)
    state = models.TextField(default="on", db_default="on")
    off_reason = models.TextField(default="", db_default="", blank=True)
    cost_micros = models.BigIntegerField(null=True)
    minimum = models.BigIntegerField(null=True)
    maximum = models.BigIntegerField(null=True)

    class Meta:
        db_table = "routes"
        constraints = (
            models.CheckConstraint(condition=Q(state__in=("on", "off")), name="route_state_is_known"),
            models.CheckConstraint(
                condition=Q(off_reason__in=("", "staff", "refused", "vanished", "held")),
                name="route_off_reason_is_known",
            ),
            models.UniqueConstraint("service", "provider", "provider_service", name="route_is_listed_once"),
        )

    def __str__(self) -> str:
        return f"{self.service_id} by {self.provider_id}"


class PriceMove(models.Model):
    """A change of a provider's price beyond what is followed by itself: held until a person decides.

    Costs as in `Route`. A later move of the same route replaces the one that is still held.
    """

    id = models.AutoField(primary_key=True)
    route = models.ForeignKey(Route, on_delete=models.CASCADE, related_name="price_moves")
    before_micros = models.BigIntegerField()
    after_micros = models.BigIntegerField()
    state = models.TextField(default="held", db_default="held")
    seen_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "price_moves"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=("held", "approved", "refused", "gone")),
                name="price_move_state_is_known",
            ),
            models.UniqueConstraint(
                "route", condition=Q(state="held"), name="price_move_is_held_once_a_route"
            ),
        )

    def __str__(self) -> str:
        return f"{self.route_id}: {self.before_micros} to {self.after_micros}"


class ServiceUpdate(models.Model):
    """One public row of what changed in the catalogue; `before` and `after` are written as the price list writes them."""

    id = models.BigAutoField(primary_key=True)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="updates")
    kind = models.TextField()
    before = models.TextField(default="", db_default="", blank=True)
    after = models.TextField(default="", db_default="", blank=True)
    at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "service_updates"
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=("new", "on_sale", "off_sale", "rate", "minimum", "maximum")),
                name="service_update_kind_is_known",
            ),
        )

    def __str__(self) -> str:
        return f"{self.service_id}: {self.kind}"
