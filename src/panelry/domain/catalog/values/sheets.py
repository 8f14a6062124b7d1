"""A service and its routes as operators see them: what they cost, whether they are used, and why not."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from panelry.domain.catalog.values.importing import Margin
from panelry.domain.catalog.values.selling import RouteId, ServiceId
from panelry.domain.money import Micros
from panelry.domain.providers import ProviderId

MoveId = NewType("MoveId", int)


class Off(StrEnum):
    """Why a service is off sale, or a route not used. What people switch off (`STAFF`, `UNCLEAR`) only people switch on."""

    STAFF = "staff"
    UNCLEAR = "unclear"  # a service that was imported with something left to guess
    VANISHED = "vanished"  # the provider's list has it no more
    REFUSED = "refused"  # the provider said to an order that it does not know the service
    HELD = "held"  # the provider asks more than customers pay


class MoveState(StrEnum):
    """What became of a price move; `GONE`: the provider asks another price by now."""

    HELD = "held"
    APPROVED = "approved"
    REFUSED = "refused"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A provider's price that is not followed by itself; held, or refused by a person for as long as it is asked.

    `id` is `None` until it is stored. Costs as in `RouteSheet`.
    """

    id: MoveId | None
    before_micros: Micros
    after_micros: Micros
    state: MoveState


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSheet:
    """A route with all that decides whether it is used: `off` is `None` while it is.

    `cost_micros` is the provider's price that we count with, in its currency, per `rate_per` units of the service, of
    which one unit is worth `currency_rate` in ours. `move` is the price it asks instead, if that is not followed.
    """

    id: RouteId
    provider_id: ProviderId
    provider: str
    provider_service: str
    currency_rate: Decimal
    priority: int
    cost_micros: Micros | None
    minimum: int | None
    maximum: int | None
    off: Off | None
    move: Move | None

    @property
    def asked_micros(self) -> Micros | None:
        """Return what the provider asks at present, believed or not."""
        return self.move.after_micros if self.move else self.cost_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A service as its operator sees it, on sale or not, with all its routes, best first.

    While it `follows_prices`, its rate is made from what the best open route costs and the margin.
    """

    id: ServiceId
    category: str
    name: str
    description: str
    type: str
    rate_micros: Micros
    rate_per: int
    minimum: int
    maximum: int
    dripfeed: bool
    refill: bool
    cancel: bool
    refill_days: int
    refill_most: int
    average_time: str
    off: Off | None
    follows_prices: bool
    margin: Margin
    below_cost: bool
    routes: tuple[RouteSheet, ...] = ()

    @property
    def open_routes(self) -> tuple[RouteSheet, ...]:
        """Return the routes that orders may take, best first."""
        return tuple(route for route in self.routes if route.off is None)

    @property
    def is_listed(self) -> bool:
        """Tell whether customers see it."""
        return self.off is None and bool(self.open_routes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEdit:
    """What a person changes about a service; `None` leaves a field as it is. A new rate ends `follows_prices` unless given."""

    name: str | None = None
    description: str | None = None
    category: str | None = None
    rate_micros: Micros | None = None
    rate_per: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    dripfeed: bool | None = None
    refill: bool | None = None
    cancel: bool | None = None
    refill_days: int | None = None
    refill_most: int | None = None
    average_time: str | None = None
    on_sale: bool | None = None
    follows_prices: bool | None = None
    markup_percent: Decimal | None = None
    markup_micros: Micros | None = None
    rounding_micros: Micros | None = None
    below_cost: bool | None = None
