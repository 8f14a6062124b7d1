"""Laws of a tier's discount: of the rate, and of what it does to every charge."""

from decimal import Decimal
from fractions import Fraction

import pytest
from every_type import EVERY
from hypothesis import given as for_all
from hypothesis import strategies as st

from given import Customer, Given, draft, upstream_service
from panelry.database.pool import Pool
from panelry.domain import catalog, orders
from panelry.domain.catalog import ServiceId, discounted
from panelry.domain.money import Micros
from panelry.domain.orders import Placed
from panelry.domain.providers import UpstreamState

RATES = st.integers(0, 10**15).map(Micros)
PERCENTS = st.decimals(0, Decimal("99.99"), places=2)


@for_all(RATES, PERCENTS)
def test_a_discount_is_exact_and_rounded_up_by_less_than_one_micro(rate: Micros, percent: Decimal) -> None:
    assert 0 <= discounted(rate, percent) - rate * (1 - Fraction(percent) / 100) < 1


@for_all(RATES)
def test_no_discount_changes_nothing(rate: Micros) -> None:
    assert discounted(rate, Decimal(0)) == rate


@for_all(RATES, PERCENTS, PERCENTS)
def test_a_larger_discount_never_makes_it_dearer_and_none_makes_it_free(
    rate: Micros, one: Decimal, other: Decimal
) -> None:
    less, more = sorted((one, other))
    assert (rate > 0) <= discounted(rate, more) <= discounted(rate, less) <= rate


@pytest.fixture
def buyer(given: Given) -> Customer:
    """Return a customer of a tier that is given 7.25 % off."""
    customer = given.customer("100")
    given.discount(customer, "7.25")
    return customer


def service_of(given: Given, type_: str = "Default", **more: object) -> ServiceId:
    [service] = given.services(
        None, [upstream_service(type_=type_, rate="1.23", minimum=3, maximum=1000, **more)]
    )  # type: ignore[arg-type]
    given.conn.execute("UPDATE services SET state = 'on_sale' WHERE id = %s", [service])
    return service


def written(given: Given, order_id: object) -> tuple[int, int, int]:
    query = "SELECT rate_micros, charge_micros, coupon_micros FROM orders WHERE id = %s"
    rate, charge, coupon = given.conn.execute(query, [order_id]).fetchall()[0]
    return rate, charge, coupon


RATE = 1_140_825  # 1.23 less 7.25 %


@pytest.mark.parametrize("type_", EVERY)
def test_every_type_is_charged_at_the_discounted_rate(given: Given, buyer: Customer, type_: str) -> None:
    wanted = draft(buyer, service_of(given, type_))
    [placed] = orders.place(given.conn, [orders.Draft(**_fields(wanted) | {"parameters": EVERY[type_].said})])
    assert isinstance(placed, Placed), placed
    assert written(given, placed.order_id) == (RATE, -(-RATE * EVERY[type_].units // 1000), 0)


def _fields(wanted: orders.Draft) -> dict[str, object]:
    return {"caller": wanted.caller, "service": wanted.service, "request_id": wanted.request_id}


def test_a_package_is_discounted_by_the_piece(given: Given, buyer: Customer) -> None:
    service = service_of(given)
    given.conn.execute("UPDATE services SET rate_per = 1 WHERE id = %s", [service])
    assert written(given, given.placed(buyer, service, quantity=3)) == (RATE, 3 * RATE, 0)


def test_each_run_of_a_drip_feed_costs_the_discounted_rate(given: Given, buyer: Customer) -> None:
    wanted = draft(buyer, service_of(given, dripfeed=True), quantity=7, runs="3", interval="5")
    [placed] = orders.place(given.conn, [wanted])
    assert isinstance(placed, Placed), placed
    one_run = -(-RATE * 7 // 1000)
    assert written(given, placed.order_id) == (RATE, 3 * one_run, 0)
    orders.make_runs(given.conn)
    query = "SELECT rate_micros, charge_micros FROM orders WHERE parent_id = %s"
    assert given.conn.execute(query, [placed.order_id]).fetchall() == [(RATE, one_run)]


def test_a_coupon_takes_its_part_of_the_discounted_charge(given: Given, buyer: Customer) -> None:
    code = given.coupon(percent=Decimal(10))
    [placed] = orders.place(given.conn, [draft(buyer, service_of(given), quantity=1000, coupon=code)])
    assert isinstance(placed, Placed), placed
    assert written(given, placed.order_id) == (RATE, RATE, RATE // 10)


def test_a_partial_is_refunded_of_what_was_paid_and_the_books_agree(given: Given, buyer: Customer) -> None:
    service = service_of(given)
    given.ended(buyer, service, UpstreamState.PARTIAL, remains=40)
    charge = -(-RATE * 100 // 1000)
    assert given.balance(buyer) == 100_000_000 + -(-charge * 60 // 100) * -1
    given.assert_books()


def test_an_order_keeps_the_rate_that_it_was_placed_at(given: Given, buyer: Customer) -> None:
    service = service_of(given)
    order = given.placed(buyer, service)
    given.discount(buyer, "50")
    assert written(given, order)[0] == RATE
    assert written(given, given.placed(buyer, service))[0] == 615_000


def test_services_that_a_discount_sells_below_cost_are_counted(fresh_pool: Pool) -> None:
    rates = [(1_050_000, False), (2_000_000, False), (900_000, True), (1_050_000, True)]
    with fresh_pool.transaction() as conn:
        found = Given(conn).services(None, [upstream_service(rate="1.00") for _ in rates])
        for service, terms in zip(found, rates, strict=True):
            change = "UPDATE services SET rate_micros = %s, below_cost = %s WHERE id = %s"
            conn.execute(change, [*terms, service])
        counts = [catalog.count_below_cost(conn, Decimal(percent)) for percent in (0, 4, 5, 50, 60)]
    assert counts == [0, 0, 1, 1, 2]
