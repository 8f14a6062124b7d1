"""What is on sale, as the order form offers it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from panelry.domain import orders
from panelry.domain.catalog import discounted
from panelry.domain.money import Micros
from panelry.schema.models import Service
from panelry.web.words import counted, priced

TYPES: Final = frozenset(
    name for name, type_ in orders.TYPES.items() if {"link", "quantity"}.issuperset(type_.required)
)
"""Types that the form can order: it asks for a link and a quantity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One choice: the service's id as the form sends it, and all that matters about it in one line."""

    id: str
    category: str
    label: str


def on_sale(discount_percent: Decimal) -> list[Offer]:
    """List the services on sale that the form can order, in the order of the price list, at a tier's prices."""
    listed = Service.objects.filter(state="on_sale", type__in=TYPES).values_list(
        "id", "name", "category__name", "type", "rate_micros", "rate_per", "minimum", "maximum"
    )
    return [
        Offer(
            id=str(id_),
            category=category,
            label=f"{id_} · {name} · {_price(discounted(Micros(rate), discount_percent), per)} · {_limits(type_, minimum, maximum)}",
        )
        for id_, name, category, type_, rate, per, minimum, maximum in listed.order_by(
            "category__position", "category_id", "position", "id"
        )
    ]


def _limits(type_: str, minimum: int, maximum: int) -> str:
    if "quantity" not in orders.TYPES[type_].required:
        return _("a package of %(units)s") % {"units": counted(minimum)}
    return f"{counted(minimum)} – {counted(maximum)}"  # noqa: RUF001 (a range)


def _price(rate_micros: int, rate_per: int) -> str:
    if rate_per == 1:
        return _("%(price)s each") % {"price": priced(rate_micros)}
    return _("%(price)s per 1,000") % {"price": priced(rate_micros)}
