"""What is on sale, as the order form offers it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from panelry.schema.models import Service
from panelry.web.words import counted, priced


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One choice: the service's id as the form sends it, and all that matters about it in one line."""

    id: str
    category: str
    label: str


def on_sale() -> list[Offer]:
    """List the services on sale in the order of the price list."""
    listed = Service.objects.filter(state="on_sale").values_list(
        "id", "name", "category__name", "rate_micros", "rate_per", "minimum", "maximum"
    )
    return [
        Offer(
            id=str(id_),
            category=category,
            label=f"{id_} · {name} · {_price(rate, per)} · {counted(minimum)} – {counted(maximum)}",  # noqa: RUF001 (a range)
        )
        for id_, name, category, rate, per, minimum, maximum in listed.order_by(
            "category__position", "category_id", "position", "id"
        )
    ]


def _price(rate_micros: int, rate_per: int) -> str:
    if rate_per == 1:
        return _("%(price)s each") % {"price": priced(rate_micros)}
    return _("%(price)s per 1,000") % {"price": priced(rate_micros)}
