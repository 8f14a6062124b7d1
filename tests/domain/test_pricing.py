"""Laws of charges and refunds."""

from fractions import Fraction

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from panelry.domain.money import Micros
from panelry.domain.orders.rules import charge_for, refund_due
from panelry.domain.orders.rules.pricing import clamp

MICROS = st.integers(0, 10**15).map(Micros)
QUANTITIES = st.integers(1, 2**63 - 1) | st.integers(1, 50)
COUNTS = st.integers(-(2**63), 2**63) | st.integers(-60, 60)


@for_all(MICROS, st.sampled_from([1, 1000]), QUANTITIES)
def test_a_charge_is_the_exact_price_rounded_up_by_less_than_one_micro(
    rate: Micros, rate_per: int, units: int
) -> None:
    charge = charge_for(rate=rate, rate_per=rate_per, units=units)
    assert 0 <= charge - Fraction(rate * units, rate_per) < 1


@for_all(st.integers(1, 10**15).map(Micros), st.sampled_from([1, 1000]), QUANTITIES)
def test_nothing_that_has_a_price_is_free(rate: Micros, rate_per: int, units: int) -> None:
    assert charge_for(rate=rate, rate_per=rate_per, units=units) > 0


@for_all(MICROS, QUANTITIES, QUANTITIES)
def test_more_units_never_cost_less_and_splitting_never_saves(rate: Micros, one: int, other: int) -> None:
    together = charge_for(rate=rate, rate_per=1000, units=one + other)
    parts = [charge_for(rate=rate, rate_per=1000, units=units) for units in (one, other)]
    assert max(parts) <= together <= sum(parts)


@for_all(MICROS, QUANTITIES, COUNTS)
def test_a_refund_is_never_negative_and_never_above_the_charge(
    charge: Micros, quantity: int, remains: int
) -> None:
    assert 0 <= refund_due(charge=charge, quantity=quantity, remains=remains) <= charge


@for_all(MICROS, QUANTITIES, COUNTS)
def test_what_is_kept_pays_for_what_was_delivered_rounded_up_once(
    charge: Micros, quantity: int, remains: int
) -> None:
    kept = charge - refund_due(charge=charge, quantity=quantity, remains=remains)
    delivered = quantity - clamp(remains, quantity)
    assert 0 <= kept - Fraction(charge * delivered, quantity) < 1


@for_all(MICROS, QUANTITIES, COUNTS, COUNTS)
def test_the_more_remains_the_more_is_refunded(charge: Micros, quantity: int, one: int, other: int) -> None:
    less, more = sorted((one, other))
    assert refund_due(charge=charge, quantity=quantity, remains=less) <= refund_due(
        charge=charge, quantity=quantity, remains=more
    )


@for_all(MICROS, QUANTITIES, st.integers(0, 2**63))
def test_all_delivered_refunds_nothing_and_nothing_delivered_refunds_all(
    charge: Micros, quantity: int, beyond: int
) -> None:
    assert refund_due(charge=charge, quantity=quantity, remains=-beyond) == 0
    assert refund_due(charge=charge, quantity=quantity, remains=quantity + beyond) == charge


@for_all(MICROS, QUANTITIES, st.lists(COUNTS, max_size=10))
def test_refunds_posted_as_differences_end_at_the_largest_total_due(
    charge: Micros, quantity: int, reports: list[int]
) -> None:
    posted = 0
    for remains in reports:
        due = refund_due(charge=charge, quantity=quantity, remains=remains)
        posted += max(due - posted, 0)
        assert posted <= charge
    assert posted == max(
        [refund_due(charge=charge, quantity=quantity, remains=r) for r in reports], default=0
    )


@for_all(MICROS, st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.data())
def test_the_refunds_of_the_parts_of_a_charge_never_exceed_that_of_the_whole(
    charge: Micros, quantities: list[int], data: st.DataObject
) -> None:
    whole = sum(quantities)
    remains = [data.draw(st.integers(0, quantity)) for quantity in quantities]
    kept = sum(
        charge_for(rate=charge, rate_per=1, units=1)
        - refund_due(charge=charge, quantity=whole, remains=whole - (quantity - left))
        for quantity, left in zip(quantities, remains, strict=True)
    )
    assert charge - kept <= refund_due(charge=charge, quantity=whole, remains=sum(remains))


@pytest.mark.parametrize(
    ("rate", "per", "units", "charge"),
    [(900_000, 1000, 1000, 900_000), (1, 1000, 1, 1), (1, 1000, 1001, 2), (0, 1000, 5, 0), (250_000, 1, 1, 250_000)],
)  # fmt: skip
def test_some_charges_by_hand(rate: int, per: int, units: int, charge: int) -> None:
    assert charge_for(rate=Micros(rate), rate_per=per, units=units) == charge


@pytest.mark.parametrize(
    ("charge", "quantity", "remains", "refund"),
    [(100, 3, 1, 33), (100, 3, 2, 66), (1, 1000, 999, 0), (1, 1000, 1000, 1), (500_000, 1000, 650, 325_000)],
)  # fmt: skip
def test_some_refunds_by_hand(charge: int, quantity: int, remains: int, refund: int) -> None:
    assert refund_due(charge=Micros(charge), quantity=quantity, remains=remains) == refund
