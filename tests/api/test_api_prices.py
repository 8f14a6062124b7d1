"""What `services` shows is what is charged, for customers of every tier."""

from decimal import Decimal

import pytest
from books import Stored
from doors import Door
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from given import Customer, Given
from panelry.api.calls import MOST_PRICE_LISTS
from panelry.database.pool import Pool
from panelry.domain import accounts, money
from panelry.domain.catalog import ServiceId


def in_tier(given: Given, percent: Decimal) -> Customer:
    """Make a customer in a tier of its own that is given so many per cent off."""
    customer = given.customer("1000000")
    given.discount(customer, percent)
    return customer


def at_rate(given: Given, rate_micros: int, rate_per: int = 1000) -> ServiceId:
    service = given.service(minimum=1, maximum=10_000)
    change = "UPDATE services SET rate_micros = %s, rate_per = %s WHERE id = %s"
    given.conn.execute(change, [rate_micros, rate_per, service])
    return service


def shown(door: Door, customer: Customer, service: ServiceId) -> str:
    rows = door.post(key=customer.key, action="services").value
    [rate] = [row["rate"] for row in rows if row["service"] == service]
    return str(rate)


@settings(max_examples=25, deadline=None)
@for_all(
    st.integers(1, 10**8),
    st.sampled_from([1, 1000]),
    st.integers(1, 10_000),
    st.decimals(0, Decimal("99.99"), places=2),
)
def test_what_services_shows_times_the_quantity_is_exactly_what_is_charged(
    door: Door, pool: Pool, rate: int, rate_per: int, quantity: int, percent: Decimal
) -> None:
    with pool.transaction() as conn:
        customer, service = in_tier(Given(conn), percent), at_rate(Given(conn), rate, rate_per)
    price = money.parse(shown(door, customer, service))
    fields = {"key": customer.key, "service": str(service), "link": "https://example.com/1"}
    placed = door.post(fields, action="add", quantity=str(quantity), request_id="1").order
    status = door.post(key=customer.key, action="status", order=placed).value
    assert money.parse(status["charge"]) == -(-price * quantity // rate_per)


@pytest.mark.parametrize(("percent", "rate"), [("0", "1.00"), ("3", "0.97"), ("7.25", "0.9275")])
def test_each_tier_has_its_own_prices(door: Door, stored: Stored, percent: str, rate: str) -> None:
    with stored() as given:
        customer, service = in_tier(given, Decimal(percent)), at_rate(given, 1_000_000)
    assert shown(door, customer, service) == rate


def test_a_change_of_tier_shows_at_the_very_next_request(door: Door, stored: Stored) -> None:
    with stored() as given:
        customer, service = given.customer("10"), at_rate(given, 1_000_000)
        tier = given.discount(customer, "3")
    assert shown(door, customer, service) == "0.97"
    with stored() as given:
        accounts.change_tier(given.conn, tier, discount_percent=Decimal(50))
    assert shown(door, customer, service) == "0.50"


def test_only_so_many_price_lists_are_kept(door: Door, stored: Stored) -> None:
    with stored() as given:
        service = at_rate(given, 1_000_000)
        customers = [in_tier(given, Decimal(percent)) for percent in range(MOST_PRICE_LISTS + 5)]
    for percent, customer in enumerate(customers):
        assert money.parse(shown(door, customer, service)) == 1_000_000 - percent * 10_000
    assert len(door.api._calls._listed) == MOST_PRICE_LISTS
    assert shown(door, customers[0], service) == "1.00"
