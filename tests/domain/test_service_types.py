"""Every service type: what a complete draft becomes, what may not be missing, and what goes upstream."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from every_type import EVERY, LINK, MAXIMUM, MINIMUM, SUBSCRIPTION
from hypothesis import given as for_all
from hypothesis import strategies as st

from given import Customer, Given, draft, upstream_service
from panelry.database.pool import Conn
from panelry.domain import catalog, money
from panelry.domain.accounts import AccountId, Buyer, digest
from panelry.domain.catalog import NewService, Route, RouteId, Service, ServiceId, discounted
from panelry.domain.ledger import Wallet
from panelry.domain.money import LARGEST, Micros
from panelry.domain.orders import (
    TYPES,
    Draft,
    InvalidExpiry,
    MissingParameter,
    OrderId,
    Placed,
    QuantityOutOfRange,
    place,
)
from panelry.domain.orders.rules import Loaded, decide
from panelry.domain.orders.rules.types import LISTS, NUMBERS, PARAMETERS, TEXTS, Quantity, upstream_parameters
from panelry.domain.providers import ProviderId

TYPE = pytest.mark.parametrize("type_", EVERY)


@pytest.fixture
def provider(given: Given) -> ProviderId:
    return given.provider()


@pytest.fixture
def customer(given: Given) -> Customer:
    return given.customer("100")


def sold(
    conn: Conn, provider: ProviderId, type_: str, *, rate: str = "2.50", rate_per: int = 1000
) -> ServiceId:
    """Put a service of a type on sale, from 3 to 1,000 units."""
    new = NewService(
        category="All", name=type_, type=type_, rate_micros=money.parse(rate), rate_per=rate_per, minimum=MINIMUM,
        maximum=MAXIMUM, refill=False, cancel=False,
    )  # fmt: skip
    return catalog.add_services(conn, [(new, provider, type_)])[0]


def wanted(customer: Customer, service: ServiceId, said: dict[str, str]) -> Draft:
    return Draft(caller=digest(customer.key), service=service, request_id=uuid4().hex, parameters=said)


def placed(conn: Conn, wanted: Draft) -> OrderId:
    [answer] = place(conn, [wanted])
    assert isinstance(answer, Placed), answer
    return answer.order_id


def without(type_: str, *names: str) -> dict[str, str]:
    return {name: text for name, text in EVERY[type_].said.items() if name not in names}


def test_there_are_17_types_and_each_of_them_is_sold() -> None:
    assert len(TYPES) == 17
    assert TYPES.keys() == EVERY.keys() == catalog.SELLABLE_TYPES
    assert {name for name, type_ in TYPES.items() if "runs" in type_.optional} == catalog.DRIP_FEED_TYPES


def test_every_parameter_of_every_type_is_of_one_kind() -> None:
    named = {name for type_ in TYPES.values() for name in (*type_.required, *type_.optional)}
    assert named | {"coupon"} == PARAMETERS
    assert len(PARAMETERS) == len(NUMBERS) + len(LISTS) + len(TEXTS)
    assert all(type_.lines_of in LISTS for type_ in TYPES.values() if type_.quantity is Quantity.LINES)


@TYPE
def test_a_complete_draft_is_placed_charged_kept_and_sent_on_as_it_was_said(
    conn: Conn, given: Given, provider: ProviderId, customer: Customer, type_: str
) -> None:
    complete = EVERY[type_]
    order = placed(conn, wanted(customer, sold(conn, provider, type_), dict(complete.said)))
    query = "SELECT type, link, quantity, remains, extras, posts, charge_micros FROM orders WHERE id = %s"
    [row] = conn.execute(query, [order]).fetchall()
    posts = 30 if type_ == "Subscriptions" else None
    assert row == (
        type_, complete.said.get("link"), complete.units, complete.units, complete.extras, posts, complete.units * 2500,
    )  # fmt: skip
    assert given.balance(customer) == 100_000_000 - complete.units * 2500
    [attempt] = given.attempts(provider)
    assert attempt.parameters == complete.upstream
    given.assert_books()


@TYPE
def test_whatever_a_type_needs_and_is_not_there_is_named(
    conn: Conn, provider: ProviderId, customer: Customer, type_: str
) -> None:
    service = sold(conn, provider, type_)
    for name in TYPES[type_].required:
        [answer] = place(conn, [wanted(customer, service, without(type_, name))])
        assert isinstance(answer, MissingParameter)
        assert answer.details == {"parameter": name}


@TYPE
def test_what_a_type_only_takes_may_be_left_out(
    conn: Conn, provider: ProviderId, customer: Customer, type_: str
) -> None:
    said = without(type_, *TYPES[type_].optional) | (
        {"type_of_traffic": "3"} if type_ == "Web Traffic" else {}
    )
    assert placed(conn, wanted(customer, sold(conn, provider, type_), said))


@TYPE
def test_parameters_of_other_types_are_not_kept_and_not_looked_at(
    conn: Conn, given: Given, provider: ProviderId, customer: Customer, type_: str
) -> None:
    known = {*TYPES[type_].required, *TYPES[type_].optional}
    others = dict.fromkeys(PARAMETERS - known - {"coupon", "runs", "interval"}, "0\n\x07")
    placed(conn, wanted(customer, sold(conn, provider, type_), {**EVERY[type_].said, **others}))
    [attempt] = given.attempts(provider)
    assert attempt.parameters == EVERY[type_].upstream


@TYPE
@pytest.mark.parametrize("rate_per", [1, 1000])
def test_what_is_charged_is_units_at_the_rate_rounded_up_once_whatever_the_type(
    conn: Conn, given: Given, provider: ProviderId, customer: Customer, type_: str, rate_per: int
) -> None:
    service = sold(conn, provider, type_, rate="0.000333", rate_per=rate_per)
    order = placed(conn, wanted(customer, service, dict(EVERY[type_].said)))
    assert given.status(customer, order).charge_micros == -(-333 * EVERY[type_].units // rate_per)


@pytest.mark.parametrize("type_", ["Package", "Custom Comments Package"])
def test_a_package_priced_by_the_package_costs_its_rate_whatever_the_quantity(
    conn: Conn, given: Given, customer: Customer, type_: str
) -> None:
    [service] = given.services(None, [upstream_service(type_=type_, rate="75.00", minimum=1, maximum=1)])
    [answer] = place(conn, [draft(customer, service, quantity="5 or 6", comments="one\ntwo")])
    assert isinstance(answer, Placed)
    assert given.status(customer, answer.order_id).charge_micros == 75_000_000
    assert given.balance(customer) == 25_000_000


@pytest.mark.parametrize(("lines", "units"), [
    ("a\r\nb\r\nc", 3), ("a\nb\n\n\nc\n", 3), ("a\n \n\t\nb\nc", 3), ("\r\n\r\n a \r\nb\nc\r\n\r\n", 3), ("a\na\na\na", 4),
])  # fmt: skip
def test_lines_count_without_blanks_however_they_end(
    conn: Conn, given: Given, provider: ProviderId, customer: Customer, lines: str, units: int
) -> None:
    service = sold(conn, provider, "Custom Comments")
    order = placed(conn, wanted(customer, service, {"link": LINK, "comments": lines}))
    assert given.status(customer, order).remains == units
    [attempt] = given.attempts(provider)
    assert attempt.parameters["comments"] == "\n".join(["a"] * 4 if units == 4 else ["a", "b", "c"])


@pytest.mark.parametrize("lines", ["a\nb", "a\nb\n \n", "\n".join("a" * 1001)])
@pytest.mark.parametrize(
    ("type_", "name"), [("Custom Comments", "comments"), ("Mentions Custom List", "usernames")]
)
def test_as_many_lines_as_the_service_has_limits_for(
    conn: Conn, provider: ProviderId, customer: Customer, type_: str, name: str, lines: str
) -> None:
    said = {"link": LINK, name: lines}
    [answer] = place(conn, [wanted(customer, sold(conn, provider, type_), said)])
    assert isinstance(answer, QuantityOutOfRange)
    assert answer.details == {"min": 3, "max": 1000}


def test_a_subscription_has_no_link_and_its_posts_are_open_unless_said(
    conn: Conn, provider: ProviderId, customer: Customer
) -> None:
    service = sold(conn, provider, "Subscriptions")
    said = without("Subscriptions", "posts") | {"link": LINK, "quantity": "nonsense"}
    order = placed(conn, wanted(customer, service, said))
    [row] = conn.execute("SELECT link, posts, quantity FROM orders WHERE id = %s", [order]).fetchall()
    assert row == (None, None, MINIMUM)


def test_a_subscription_may_end_today_by_the_books_clock_and_tomorrow_no_more(
    conn: Conn, given: Given, provider: ProviderId, customer: Customer
) -> None:
    service = sold(conn, provider, "Subscriptions")
    [[today]] = conn.execute("SELECT to_char(clock_now() AT TIME ZONE 'UTC', 'DD/MM/YYYY')").fetchall()
    said = {**SUBSCRIPTION, "expiry": today}
    placed(conn, wanted(customer, service, said))
    given.later("24 hours")
    [answer] = place(conn, [wanted(customer, service, said)])
    assert isinstance(answer, InvalidExpiry)


ROUTE = Route(id=RouteId(1), provider_id=ProviderId(1), provider_service="1", is_open=True)
ACCOUNT = AccountId(UUID(int=1))


@for_all(
    st.sampled_from(sorted(TYPES)), st.integers(0, 10**12).map(Micros), st.sampled_from([1, 1000]), st.integers(1, 300),
    st.integers(1, 1000), st.decimals(0, Decimal("99.99"), places=2),
)  # fmt: skip
def test_whatever_the_type_the_charge_is_the_buyers_rate_times_units_rounded_up_for_each_run(
    type_: str, rate: Micros, per: int, units: int, runs: int, percent: Decimal
) -> None:
    table = TYPES[type_]
    said = dict(EVERY[type_].said) | {"quantity": str(units), "min": str(units), "max": str(units)}
    said |= {table.lines_of: "\n".join(["x"] * units)} if table.lines_of else {}
    runs = runs if "runs" in table.optional else 1
    said |= {"runs": str(runs), "interval": "1"} if "runs" in table.optional else {}
    service = Service(
        id=ServiceId(1), type=type_, category=1, rate_micros=rate, rate_per=per, minimum=units, maximum=units,
        dripfeed=True, cancel=False, routes=(ROUTE,),
    )  # fmt: skip
    loaded = Loaded(
        callers=[Buyer(account_id=ACCOUNT, discount_percent=percent)], wallets={ACCOUNT: Wallet(account_id=ACCOUNT, balance_micros=LARGEST)}, coupons={},
        services={service.id: service}, known={}, at=datetime(2026, 11, 22, tzinfo=UTC),
    )  # fmt: skip
    drafted = Draft(caller=ACCOUNT, service=service.id, request_id="r", parameters=said)
    decision = decide(loaded, [drafted], mint=uuid4)
    [order] = decision.orders
    own_rate = discounted(rate, percent)
    assert (order.rate_micros, order.charge_micros) == (own_rate, runs * -(-own_rate * units // per))
    assert order.quantity == runs * units
    assert sum(t.entry.amount_micros for t in decision.transfers) == order.charge_micros
    assert (order.route_id is None) == (runs > 1)


@for_all(st.sampled_from(sorted(TYPES)), st.none() | st.just(LINK), st.integers(1, 10**9))
def test_upstream_is_told_the_quantity_only_where_it_is_a_parameter(
    type_: str, link: str | None, quantity: int
) -> None:
    said = upstream_parameters(type_, link, quantity, {"media": "x"})
    assert ("quantity" in said) == ("quantity" in TYPES[type_].required)
    assert said.get("quantity", str(quantity)) == str(quantity)
    assert (said.get("link"), said["media"]) == (link, "x")
