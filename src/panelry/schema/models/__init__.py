"""One file an area. Money, orders, keys and providers are read through these models, never written with them."""

from panelry.schema.models.accounts import Account, ApiKey, Tier, User
from panelry.schema.models.catalog import Category, PriceMove, Route, Service, ServiceUpdate
from panelry.schema.models.coupons import Coupon
from panelry.schema.models.events import Event
from panelry.schema.models.ledger import Transfer, Wallet
from panelry.schema.models.letters import Letter
from panelry.schema.models.orders import Cancel, Order, ProviderCost, Refill, Submission
from panelry.schema.models.panel import ApiProcess, Panel
from panelry.schema.models.providers import Provider, ProviderService
from panelry.schema.models.webhooks import Delivery, DeliveryAttempt, Webhook

__all__ = [
    "Account",
    "ApiKey",
    "ApiProcess",
    "Cancel",
    "Category",
    "Coupon",
    "Delivery",
    "DeliveryAttempt",
    "Event",
    "Letter",
    "Order",
    "Panel",
    "PriceMove",
    "Provider",
    "ProviderCost",
    "ProviderService",
    "Refill",
    "Route",
    "Service",
    "ServiceUpdate",
    "Submission",
    "Tier",
    "Transfer",
    "User",
    "Wallet",
    "Webhook",
]
