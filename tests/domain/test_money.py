"""Laws of money: whole micros, exact in and out of text."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st

from panelry.domain import money
from panelry.domain.money import UNIT, InvalidAmount, Micros

AMOUNTS = st.integers(-money.LARGEST, money.LARGEST).map(Micros)
FIGURES = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,30})?", fullmatch=True)
NOT_MONEY = [
    "", " ", "-", ".", ".5", "5.", "+5", " 5", "5 ", "5\n", "1e3", "1E3", "0x10", "1_000", "1,5", "1'000", "--5", "- 5",
    "NaN", "nan", "sNaN", "Infinity", "-inf", "\uff11\uff12", "٣", "5.\uff10", "1.2.3", "5,00", "$5", "5 USD", "\u00a05", "1\x00",
    "1234567890123456", "1" * 5000, "½", "\u22125",
]  # fmt: skip


@for_all(AMOUNTS)
def test_every_amount_survives_its_own_text(amount: Micros) -> None:
    assert money.parse(money.text(amount)) == amount


@for_all(AMOUNTS)
def test_text_has_two_to_six_decimals_and_no_idle_zeros(amount: Micros) -> None:
    whole, _, decimals = money.text(amount).partition(".")
    assert whole.removeprefix("-").isdigit()
    assert 2 <= len(decimals) <= 6
    assert len(decimals) == 2 or not decimals.endswith("0")
    assert Decimal(money.text(amount)) * UNIT == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (500_000, "0.50"),
        (278_190, "0.27819"),
        (0, "0.00"),
        (1, "0.000001"),
        (-1, "-0.000001"),
        (UNIT, "1.00"),
    ],
)
def test_money_is_written_as_the_api_promises(amount: int, text: str) -> None:
    assert money.text(amount) == text


@pytest.mark.parametrize("text", NOT_MONEY)
def test_what_is_not_plain_digits_is_no_amount(text: str) -> None:
    with pytest.raises(InvalidAmount):
        money.parse(text)
    assert money.exact_decimal(text) is None


@pytest.mark.parametrize("text", ["1.0000000", "0.1234567", "0.00000000000001"])
def test_more_than_six_decimals_are_refused_from_people_and_read_from_providers(text: str) -> None:
    with pytest.raises(InvalidAmount):
        money.parse(text)
    assert money.exact_decimal(text) == Decimal(text)


@pytest.mark.parametrize("text", ["999999999999999", "9000000000000.000001", "-9000000000001"])
def test_an_amount_that_no_column_could_hold_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount):
        money.parse(text)


@for_all(st.text(alphabet="0123456789.-+eE _,\u0660\uff11", max_size=12))
def test_parsing_gives_exact_micros_or_refuses(text: str) -> None:
    try:
        amount = money.parse(text)
    except InvalidAmount:
        return
    assert Fraction(text) * UNIT == amount
    assert set(text) <= set("0123456789.-")


@for_all(FIGURES)
@example("0.000001000000000000000000000001")
@example("999999999999.999999999999999999999999999999")
def test_what_providers_charge_is_rounded_up_and_never_down(text: str) -> None:
    amount = money.exact_decimal(text)
    assert amount is not None
    assert money.cost_micros(amount) == math.ceil(Fraction(text) * UNIT)


@for_all(FIGURES)
@example("0.999999999999999999999999999999")
def test_what_providers_say_is_left_is_rounded_down_and_never_up(text: str) -> None:
    amount = money.exact_decimal(text)
    assert amount is not None
    assert money.balance_micros(amount) == math.floor(Fraction(text) * UNIT)


@for_all(st.integers(-(10**40), 10**40), st.integers(1, 10**20))
def test_division_rounds_up_in_whole_numbers(numerator: int, denominator: int) -> None:
    assert money.ceil_div(numerator, denominator) == math.ceil(Fraction(numerator, denominator))


def test_no_figure_of_a_provider_is_larger_than_a_column_holds() -> None:
    for figure in (Decimal(10) ** 15, Decimal(10) ** 60):
        assert money.cost_micros(figure) == money.balance_micros(figure) == money.LARGEST
        assert money.balance_micros(-figure) == -money.LARGEST
