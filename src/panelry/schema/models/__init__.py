"""One file an area. Money, orders, keys and providers are read through these models, never written with them."""

from panelry.schema.models.accounts import Account, ApiKey, Tier, User
from panelry.schema.models.catalog import Category, Route, Service
from panelry.schema.models.events import Event
from panelry.schema.models.ledger import Transfer, Wallet
from panelry.schema.models.orders import Order, ProviderCost, Submission
from panelry.schema.models.panel import Panel
from panelry.schema.models.providers import Provider, ProviderService

__all__ = [
    "Account",
    "ApiKey",
    "Category",
    "Event",
    "Order",
    "Panel",
    "Provider",
    "ProviderCost",
    "ProviderService",
    "Route",
    "Service",
    "Submission",
    "Tier",
    "Transfer",
    "User",
    "Wallet",
]
