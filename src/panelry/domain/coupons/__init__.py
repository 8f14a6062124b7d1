"""Coupons: money off orders, out of a book of the house that never becomes a wallet's."""

from panelry.domain.coupons.operations import create, lock, record, turn_off
from panelry.domain.coupons.queries import category_ids, every, verify
from panelry.domain.coupons.rules import normal_code, redeem
from panelry.domain.coupons.values import (
    Coupon,
    CouponExists,
    CouponId,
    CouponNotFound,
    CouponServiceNotFound,
    CouponState,
    InvalidCoupon,
    InvalidCouponCode,
    InvalidTerms,
    Purchase,
    Terms,
    Use,
)

__all__ = [
    "Coupon",
    "CouponExists",
    "CouponId",
    "CouponNotFound",
    "CouponServiceNotFound",
    "CouponState",
    "InvalidCoupon",
    "InvalidCouponCode",
    "InvalidTerms",
    "Purchase",
    "Terms",
    "Use",
    "category_ids",
    "create",
    "every",
    "lock",
    "normal_code",
    "record",
    "redeem",
    "turn_off",
    "verify",
]
