"""What changed in the catalogue, and which prices wait for a person."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from panelry.domain.catalog.values.selling import RouteId, ServiceId
from panelry.domain.catalog.values.sheets import MoveId
from panelry.domain.money import Micros


class ChangeKind(StrEnum):
    """What changed about a service or one of its routes."""

    NEW = "new"
    ON_SALE = "on_sale"
    OFF_SALE = "off_sale"
    RATE = "rate"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    COST = "cost"
    HELD = "held"
    ROUTE_ON = "route_on"
    ROUTE_OFF = "route_off"


PUBLIC: Final = frozenset(
    {
        ChangeKind.NEW,
        ChangeKind.ON_SALE,
        ChangeKind.OFF_SALE,
        ChangeKind.RATE,
        ChangeKind.MINIMUM,
        ChangeKind.MAXIMUM,
    }
)
"""Changes that customers are told as service updates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `before` and `after` are written as the price list writes them; costs are in the provider's currency.

    `on_sale` and `new` say the rate after, `off_sale` the rate before, `route_off` the reason after.
    """

    service_id: ServiceId
    name: str
    kind: ChangeKind
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What came of reading a provider's list of so many `services`."""

    services: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One public row of what changed in the catalogue; `before` and `after` as in `Change`."""

    id: int
    service_id: ServiceId
    name: str
    category: str
    kind: ChangeKind
    before: str
    after: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMove:
    """A price that waits for a person. Costs are in the provider's `currency`; `rate_micros` is what customers pay."""

    id: MoveId
    route_id: RouteId
    service_id: ServiceId
    name: str
    provider: str
    provider_service: str
    before_micros: Micros
    after_micros: Micros
    currency: str
    rate_micros: Micros
    rate_per: int
    is_open: bool
    seen_at: datetime
