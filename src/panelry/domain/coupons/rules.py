"""What a coupon takes off an order, and what a coupon may say."""

import re
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Final

from panelry.domain.coupons.values import (
    Coupon,
    CouponState,
    InvalidCoupon,
    InvalidTerms,
    Purchase,
    Terms,
    Use,
)
from panelry.domain.money import LARGEST, Micros

MOST_COUNTED: Final = 2**31 - 1
_CODE: Final = re.compile(r"[A-Z0-9_-]{1,64}", re.ASCII)


def normal_code(text: str) -> str | None:
    """Return a code as it is stored, trimmed and in capitals; `None` for what no coupon could be called."""
    code = text.strip().upper() if text.isascii() else ""
    return code if _CODE.fullmatch(code) else None


def redeem(coupon: Coupon, purchase: Purchase, *, at: datetime) -> tuple[Coupon, Use]:
    """Use a coupon for an order: return it as it stands afterwards, and the use.

    Raises `InvalidCoupon` where it does not apply, is used up, or would take nothing off.
    """
    used = coupon.used_by.get(purchase.account_id, 0)
    amount = discount(coupon.terms, purchase.charge_micros)
    if not (
        coupon.state is CouponState.ON
        and _is_in_time(coupon.terms, at)
        and _is_for(coupon.terms, purchase)
        and amount > 0
        and (coupon.terms.most_uses is None or coupon.uses < coupon.terms.most_uses)
        and (coupon.terms.most_per_account is None or used < coupon.terms.most_per_account)
    ):
        raise InvalidCoupon
    use = Use(
        coupon_id=coupon.id,
        code=coupon.code,
        account_id=purchase.account_id,
        number=used + 1,
        order_id=purchase.order_id,
        amount_micros=amount,
    )
    used_by = {**coupon.used_by, purchase.account_id: used + 1}
    return replace(coupon, uses=coupon.uses + 1, used_by=used_by), use


def discount(terms: Terms, charge: Micros) -> Micros:
    """Return what is taken off a charge, in whole micros rounded down; never more than the charge."""
    if terms.percent is not None:
        return Micros(int(charge * Fraction(terms.percent) // 100))
    assert terms.fixed_micros is not None
    return Micros(min(terms.fixed_micros, charge))


def check(terms: Terms) -> None:
    """Raise `InvalidTerms` for terms that no order could meet, or that contradict each other."""
    if (terms.percent is None) == (terms.fixed_micros is None):
        raise InvalidTerms(rule="either a percentage or an amount")
    if terms.percent is not None and not (0 < terms.percent <= 100 and terms.percent * 10**6 % 1 == 0):
        raise InvalidTerms(rule="a percentage is above 0, at most 100, and has at most 6 decimals")
    if terms.fixed_micros is not None and not 0 < terms.fixed_micros <= LARGEST:
        raise InvalidTerms(rule="an amount is above 0")
    if not 0 <= terms.minimum_charge_micros <= LARGEST:
        raise InvalidTerms(rule="the smallest charge is not below 0")
    for limit in (terms.most_uses, terms.most_per_account):
        if limit is not None and not 1 <= limit <= MOST_COUNTED:
            raise InvalidTerms(rule="a limit is at least 1")
    if terms.starts_at and terms.ends_at and terms.ends_at <= terms.starts_at:
        raise InvalidTerms(rule="it ends before it starts")


def _is_in_time(terms: Terms, at: datetime) -> bool:
    has_started = terms.starts_at is None or terms.starts_at <= at
    return has_started and (terms.ends_at is None or at < terms.ends_at)


def _is_for(terms: Terms, purchase: Purchase) -> bool:
    is_for_all = not (terms.services or terms.categories)
    is_named = purchase.service in terms.services or purchase.category in terms.categories
    return (is_for_all or is_named) and purchase.charge_micros >= terms.minimum_charge_micros
