"""Refills: restoring what dropped after delivery. No money moves for one."""

from panelry.domain.refills.operations import claim, record, request
from panelry.domain.refills.queries import due, of_order, states
from panelry.domain.refills.values import (
    Answer,
    Claimed,
    NoAnswer,
    OrderNotEligible,
    Question,
    RefillAlreadyPending,
    RefillId,
    RefillLimitReached,
    RefillNotFound,
    RefillPeriodExpired,
    RefillUnavailable,
    Wanted,
)

__all__ = [
    "Answer",
    "Claimed",
    "NoAnswer",
    "OrderNotEligible",
    "Question",
    "RefillAlreadyPending",
    "RefillId",
    "RefillLimitReached",
    "RefillNotFound",
    "RefillPeriodExpired",
    "RefillUnavailable",
    "Wanted",
    "claim",
    "due",
    "of_order",
    "record",
    "request",
    "states",
]
