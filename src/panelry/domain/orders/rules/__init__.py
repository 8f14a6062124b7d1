"""What is decided about orders: pure functions, one file for each question."""

from panelry.domain.orders.rules.answers import after_outcome
from panelry.domain.orders.rules.checks import backoff, next_check, wait_at
from panelry.domain.orders.rules.drip_feeds import rolled_up, run_charge
from panelry.domain.orders.rules.parameters import fingerprint, read
from panelry.domain.orders.rules.placing import Decision, Loaded, after, decide
from panelry.domain.orders.rules.pricing import charge_for, coupon_share, refund_due
from panelry.domain.orders.rules.reports import after_report, needs_a_person
from panelry.domain.orders.rules.transitions import FINISHED, TRANSITIONS, may_go

__all__ = [
    "FINISHED",
    "TRANSITIONS",
    "Decision",
    "Loaded",
    "after",
    "after_outcome",
    "after_report",
    "backoff",
    "charge_for",
    "coupon_share",
    "decide",
    "fingerprint",
    "may_go",
    "needs_a_person",
    "next_check",
    "read",
    "refund_due",
    "rolled_up",
    "run_charge",
    "wait_at",
]
