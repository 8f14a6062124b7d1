"""Billing: money that comes in, and the tiers that it reaches."""

from panelry.domain.billing.operations import deposit
from panelry.domain.billing.rules import tier_reached

__all__ = ["deposit", "tier_reached"]
