"""All that changes orders and submissions, one file for each occasion."""

from panelry.domain.orders.operations.cancelling import cancel, claim_cancels, record_cancels
from panelry.domain.orders.operations.dripping import make_runs
from panelry.domain.orders.operations.placing import place
from panelry.domain.orders.operations.reconciling import claim_lookups, record_lookup
from panelry.domain.orders.operations.rerouting import reroute
from panelry.domain.orders.operations.settling import pay_back_unknown, settle
from panelry.domain.orders.operations.submitting import (
    abandon_expired,
    claim_resends,
    claim_submissions,
    record_outcomes,
)
from panelry.domain.orders.operations.tracking import Answers, apply_reports, ask_later, claim_tracking

__all__ = [
    "Answers",
    "abandon_expired",
    "apply_reports",
    "ask_later",
    "cancel",
    "claim_cancels",
    "claim_lookups",
    "claim_resends",
    "claim_submissions",
    "claim_tracking",
    "make_runs",
    "pay_back_unknown",
    "place",
    "record_cancels",
    "record_lookup",
    "record_outcomes",
    "reroute",
    "settle",
]
