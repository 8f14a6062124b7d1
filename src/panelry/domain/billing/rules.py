"""What deposits reach."""

from collections.abc import Sequence

from panelry.domain.accounts import Tier
from panelry.domain.money import Micros


def tier_reached(tiers: Sequence[Tier], deposited: Micros) -> Tier | None:
    """Return the highest tier that so much in lifetime deposits reaches; `tiers` are in their order, the lowest first."""
    reached = [tier for tier in tiers if tier.threshold_micros <= deposited]
    return reached[-1] if reached else None
