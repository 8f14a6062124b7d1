"""All that changes orders and submissions, one file for each occasion."""

from panelry.domain.orders.operations.placing import place
from panelry.domain.orders.operations.submitting import (
    abandon_expired,
    claim_resends,
    claim_submissions,
    record_outcomes,
)
from panelry.domain.orders.operations.tracking import apply_reports, claim_tracking

__all__ = [
    "abandon_expired",
    "apply_reports",
    "claim_resends",
    "claim_submissions",
    "claim_tracking",
    "place",
    "record_outcomes",
]
