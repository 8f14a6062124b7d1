"""What comes into the catalogue, and on which terms."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from panelry.domain.catalog.values.selling import ServiceId
from panelry.domain.money import ZERO, Micros

WHOLE_MICROS: Final = Micros(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margin:
    """What is added to what a provider asks: `percent` of it and a fixed amount, rounded up to whole `rounding_micros`."""

    percent: Decimal = Decimal(0)
    fixed_micros: Micros = ZERO
    rounding_micros: Micros = WHOLE_MICROS


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What a provider's list says of one service, as far as it can be believed, in the provider's currency.

    `cost_micros` is per `rate_per` units of the service that is bought; limits are known both or neither.
    """

    cost_micros: Micros | None = None
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewService:
    """A service to put into the catalogue; its category is made where there is none of that name.

    With a `margin` its rate follows the provider's price; without, the rate stays as it is. `purchase` is what is known
    of its first route.
    """

    category: str
    name: str
    type: str
    rate_micros: Micros
    rate_per: int
    minimum: int
    maximum: int
    refill: bool
    cancel: bool
    dripfeed: bool = False
    description: str = ""
    average_time: str = ""
    on_sale: bool = True
    margin: Margin | None = None
    purchase: Purchase = Purchase()


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A service of ours and the provider's service that it is bought as."""

    service: ServiceId
    provider_service: str
    name: str
    on_sale: bool
