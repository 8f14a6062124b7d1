"""What is decided about orders: pure functions, one file for each question."""

from panelry.domain.orders.rules.answers import after_outcome
from panelry.domain.orders.rules.parameters import fingerprint, read
from panelry.domain.orders.rules.placing import Decision, Loaded, decide
from panelry.domain.orders.rules.pricing import charge_for, refund_due
from panelry.domain.orders.rules.reports import after_report, next_check
from panelry.domain.orders.rules.transitions import FINISHED, TRANSITIONS, may_go

__all__ = [
    "FINISHED",
    "TRANSITIONS",
    "Decision",
    "Loaded",
    "after_outcome",
    "after_report",
    "charge_for",
    "decide",
    "fingerprint",
    "may_go",
    "next_check",
    "read",
    "refund_due",
]
