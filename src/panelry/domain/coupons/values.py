"""Coupons, what they are held against, and their uses. Amounts are micros."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

from msgspec import Struct

from panelry.domain.accounts import AccountId
from panelry.domain.money import ZERO, Micros
from panelry.domain.refusals import OperatorRefusal, Refusal

CouponId = NewType("CouponId", int)


class CouponState(StrEnum):
    """Whether a coupon may be used."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a coupon gives, and for what: either a percentage (above 0, up to 100) or a fixed amount.

    `services` and `categories` are ids; where both are empty the coupon is good for all, otherwise for what is in either.
    It counts from `starts_at` on and before `ends_at`. `None` is no limit.
    """

    percent: Decimal | None = None
    fixed_micros: Micros | None = None
    minimum_charge_micros: Micros = ZERO
    most_uses: int | None = None
    most_per_account: int | None = None
    services: frozenset[int] = frozenset()
    categories: frozenset[int] = frozenset()
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A coupon as it stands; locked while orders are decided about.

    `used_by` says how often accounts have used it: those that were asked for, no entry for none.
    """

    id: CouponId
    code: str
    state: CouponState
    terms: Terms
    uses: int
    used_by: Mapping[AccountId, int] = field(default_factory=dict)


class Purchase(Struct, frozen=True, kw_only=True, gc=False):
    """The order that a coupon is to be used for; `charge_micros` is its full charge."""

    account_id: AccountId
    order_id: UUID
    service: int
    category: int
    charge_micros: Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of a coupon: the account's `number`-th, and how much it takes off."""

    coupon_id: CouponId
    code: str
    account_id: AccountId
    number: int
    order_id: UUID
    amount_micros: Micros


class InvalidCoupon(Refusal):
    """It was refused because the coupon does not exist or does not apply to this order."""


class CouponExists(OperatorRefusal):
    """It was refused because there is a coupon with this code already."""


class CouponNotFound(OperatorRefusal):
    """It was refused because there is no coupon with this code."""


class InvalidCouponCode(OperatorRefusal):
    """It was refused because a code is 1 to 64 letters A-Z, digits, hyphens and underscores."""


class InvalidTerms(OperatorRefusal):
    """It was refused because these are terms that no order could meet, or that contradict each other."""


class CouponServiceNotFound(OperatorRefusal):
    """It was refused because the catalogue has no service or category of this name or number."""
