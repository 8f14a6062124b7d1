"""The catalogue: what is sold at which price, and by which routes it is bought."""

from panelry.domain.catalog.operations import add_services, close_routes, import_services
from panelry.domain.catalog.queries import begin_load, listings, load, revision, services_from
from panelry.domain.catalog.rules import route_for
from panelry.domain.catalog.values import (
    PER_PACKAGE,
    PER_THOUSAND,
    SELLABLE_TYPES,
    CurrencyRateMissing,
    Imported,
    Listing,
    NewService,
    ProviderServiceNotFound,
    Route,
    RouteId,
    Service,
    ServiceId,
    ServiceNotFound,
)

__all__ = [
    "PER_PACKAGE",
    "PER_THOUSAND",
    "SELLABLE_TYPES",
    "CurrencyRateMissing",
    "Imported",
    "Listing",
    "NewService",
    "ProviderServiceNotFound",
    "Route",
    "RouteId",
    "Service",
    "ServiceId",
    "ServiceNotFound",
    "add_services",
    "begin_load",
    "close_routes",
    "import_services",
    "listings",
    "load",
    "revision",
    "route_for",
    "services_from",
]
