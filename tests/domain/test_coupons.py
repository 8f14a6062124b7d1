"""Coupons by themselves: what they take off, for whom, and what staff may make."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from given import Given
from panelry.database.pool import Conn
from panelry.domain import coupons, ids
from panelry.domain.accounts import AccountId
from panelry.domain.coupons import (
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
    normal_code,
    redeem,
)
from panelry.domain.coupons.rules import discount
from panelry.domain.money import LARGEST, Micros

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANNA, BEN = AccountId(UUID(int=1)), AccountId(UUID(int=2))
CHARGES = st.integers(0, LARGEST).map(Micros)
PERCENTS = st.decimals("0.000001", 100, places=6)


def coupon(*, uses: int = 0, state: CouponState = CouponState.ON, **terms: Any) -> Coupon:
    said = terms if {"percent", "fixed_micros"} & terms.keys() else {"percent": Decimal(10), **terms}
    return Coupon(id=CouponId(1), code="TEN", state=state, terms=Terms(**said), uses=uses, used_by={BEN: 3})


def purchase(charge: int = 1000, *, service: int = 7, category: int = 3, who: AccountId = ANNA) -> Purchase:
    return Purchase(
        account_id=who, order_id=uuid4(), service=service, category=category, charge_micros=Micros(charge)
    )


# What is taken off


@for_all(CHARGES, PERCENTS)
def test_a_percentage_is_taken_off_exactly_and_rounded_down(charge: Micros, percent: Decimal) -> None:
    taken = discount(Terms(percent=percent), charge)
    assert 0 <= Fraction(percent) * charge / 100 - taken < 1
    assert 0 <= taken <= charge


@for_all(CHARGES, st.integers(1, LARGEST).map(Micros))
def test_a_fixed_amount_is_taken_off_up_to_the_charge(charge: Micros, fixed: Micros) -> None:
    assert discount(Terms(fixed_micros=fixed), charge) == min(charge, fixed)


def test_some_discounts_by_hand() -> None:
    assert discount(Terms(percent=Decimal("33.333333")), Micros(3_000_000)) == 999_999
    assert discount(Terms(percent=Decimal(100)), Micros(7)) == 7
    assert discount(Terms(percent=Decimal(50)), Micros(7)) == 3
    assert discount(Terms(percent=Decimal(50)), Micros(1)) == 0


# For whom, for what, when


@pytest.mark.parametrize(
    ("terms", "bought"),
    [
        ({}, {}),
        ({"starts_at": NOW}, {}),
        ({"ends_at": NOW + SECOND}, {}),
        ({"minimum_charge_micros": 1000}, {}),
        ({"services": {7}}, {}),
        ({"categories": {3}}, {}),
        ({"services": {8}, "categories": {3}}, {}),
        ({"services": {7}, "categories": {4}}, {}),
        ({"most_uses": 4, "uses": 3}, {}),
        ({"most_per_account": 1}, {}),
        ({"most_per_account": 4}, {"who": BEN}),
        ({"fixed_micros": 1}, {"charge": 1}),
        ({"percent": Decimal(100)}, {"charge": 1}),
    ],
    ids=str,
)
def test_a_coupon_applies(terms: dict[str, Any], bought: dict[str, Any]) -> None:
    after, use = redeem(coupon(**terms), purchase(**bought), at=NOW)
    assert after.uses == terms.get("uses", 0) + 1
    assert use.number == after.used_by[use.account_id]
    assert use.amount_micros == discount(after.terms, Micros(bought.get("charge", 1000)))


@pytest.mark.parametrize(
    ("terms", "bought"),
    [
        ({"state": CouponState.OFF}, {}),
        ({"starts_at": NOW + SECOND}, {}),
        ({"ends_at": NOW}, {}),
        ({"minimum_charge_micros": 1001}, {}),
        ({"services": {8}}, {}),
        ({"categories": {4}}, {}),
        ({"services": {3}, "categories": {7}}, {}),
        ({"most_uses": 3, "uses": 3}, {}),
        ({"most_per_account": 3}, {"who": BEN}),
        ({"percent": Decimal(10)}, {"charge": 9}),
        ({"fixed_micros": 1}, {"charge": 0}),
    ],
    ids=str,
)
def test_a_coupon_does_not_apply_and_nothing_is_told(terms: dict[str, Any], bought: dict[str, Any]) -> None:
    with pytest.raises(InvalidCoupon) as refused:
        redeem(coupon(**terms), purchase(**bought), at=NOW)
    assert refused.value.details == {}


@for_all(st.integers(1, 8), st.integers(1, 4), st.lists(st.sampled_from([ANNA, BEN]), max_size=30))
def test_no_sequence_of_uses_goes_beyond_a_limit(most: int, each: int, who: list[AccountId]) -> None:
    fresh = Coupon(
        id=CouponId(1), code="TEN", state=CouponState.ON, uses=0,
        terms=Terms(percent=Decimal(10), most_uses=most, most_per_account=each),
    )  # fmt: skip
    now, numbers = fresh, []
    for account in who:
        try:
            now, use = redeem(now, purchase(who=account), at=NOW)
        except InvalidCoupon:
            assert now.uses == most or now.used_by[account] == each
        else:
            numbers.append((account, use.number))
    assert now.uses == len(numbers) == min(most, sum(min(each, who.count(a)) for a in (ANNA, BEN)))
    for account in (ANNA, BEN):
        mine = [number for a, number in numbers if a == account]
        assert mine == list(range(1, len(mine) + 1))
        assert len(mine) <= each


# Codes


@pytest.mark.parametrize("text", ["SPRING", "spring", " Spring\t", "sPRINg"])
def test_a_code_is_the_same_in_small_and_capital_letters(text: str) -> None:
    assert normal_code(text) == "SPRING"


@pytest.mark.parametrize(
    "text",
    ["", " ", "A B", "A\nB", "Ä", "\u017fpring", "\u0131", "\uff33PRING", "A\0", "A.B", "A" * 65, "%", "'"],
)
def test_what_no_coupon_could_be_called_is_no_code(text: str) -> None:
    assert normal_code(text) is None


@for_all(st.text(max_size=70))
def test_a_code_is_normal_once_and_for_all(text: str) -> None:
    code = normal_code(text)
    assert code is None or normal_code(code) == code


# What staff may make


def test_a_coupon_is_made_listed_and_turned_off(conn: Conn, given: Given) -> None:
    service = given.service()
    terms = Terms(
        fixed_micros=Micros(2_500_000), minimum_charge_micros=Micros(10_000_000), most_uses=5, most_per_account=1,
        services=frozenset({service}), categories=coupons.category_ids(conn, ["Newsletters"]), starts_at=NOW,
        ends_at=NOW + SECOND,
    )  # fmt: skip
    assert coupons.create(conn, "spring-26", terms) == "SPRING-26"
    expected = {
        "coupon": "SPRING-26", "state": "on", "percent": None, "fixed": "2.50", "minimum": "10.00", "uses": 0, "limit": 5,
        "per_user": 1, "services": [service], "categories": ["Newsletters"], "starts": "2026-11-22T12:00:00+00:00",
        "ends": "2026-11-22T12:00:01+00:00",
    }  # fmt: skip
    assert coupons.every(conn)[0] == expected
    [locked] = coupons.lock(conn, ["SPRING-26"], []).values()
    assert (locked.terms, locked.uses, locked.used_by) == (terms, 0, {})
    assert coupons.turn_off(conn, "Spring-26") == "SPRING-26"
    assert coupons.every(conn)[0] == expected | {"state": "off"}


@pytest.mark.parametrize(
    ("percent", "shown"), [("10", "10"), ("100", "100"), ("0.000001", "0.000001"), ("12.50", "12.5")]
)
def test_a_percentage_is_kept_exactly(conn: Conn, given: Given, percent: str, shown: str) -> None:
    given.coupon(percent=Decimal(percent))
    assert coupons.every(conn)[0]["percent"] == shown


def test_a_code_is_used_for_one_coupon_only(conn: Conn, given: Given) -> None:
    code = given.coupon()
    with pytest.raises(CouponExists):
        coupons.create(conn, code.lower(), Terms(percent=Decimal(50)))


@pytest.mark.parametrize("code", ["", "a b", "ä", "x" * 65, "a\0"])
def test_a_code_that_nobody_could_enter_is_refused(conn: Conn, code: str) -> None:
    with pytest.raises(InvalidCouponCode):
        coupons.create(conn, code, Terms(percent=Decimal(50)))


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"percent": Decimal(10), "fixed_micros": 5},
        {"percent": Decimal(0)},
        {"percent": Decimal(-1)},
        {"percent": Decimal("100.000001")},
        {"percent": Decimal("0.0000001")},
        {"fixed_micros": 0},
        {"fixed_micros": -1},
        {"fixed_micros": LARGEST + 1},
        {"percent": Decimal(10), "minimum_charge_micros": -1},
        {"percent": Decimal(10), "minimum_charge_micros": LARGEST + 1},
        {"percent": Decimal(10), "most_uses": 0},
        {"percent": Decimal(10), "most_uses": 2**31},
        {"percent": Decimal(10), "most_per_account": 0},
        {"percent": Decimal(10), "starts_at": NOW, "ends_at": NOW},
    ],
    ids=str,
)
def test_terms_that_no_order_could_meet_are_refused(conn: Conn, terms: dict[str, Any]) -> None:
    with pytest.raises(InvalidTerms):
        coupons.create(conn, "CODE", Terms(**terms))


def test_what_is_not_in_the_catalogue_is_refused(conn: Conn) -> None:
    for service in (2**31 - 1, 2**40):
        with pytest.raises(CouponServiceNotFound):
            coupons.create(conn, "CODE", Terms(percent=Decimal(5), services=frozenset({service})))
    with pytest.raises(CouponServiceNotFound):
        coupons.category_ids(conn, ["Nothing of that name"])


@pytest.mark.parametrize("code", ["NOWHERE", "a b", "a\0"])
def test_a_coupon_that_is_not_there_cannot_be_turned_off(conn: Conn, code: str) -> None:
    with pytest.raises(CouponNotFound):
        coupons.turn_off(conn, code)


def test_locking_no_coupons_finds_none(conn: Conn) -> None:
    assert coupons.lock(conn, [], [AccountId(ids.new())]) == {}
