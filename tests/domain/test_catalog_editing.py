"""What people change about services and routes: wholly or not at all, never below cost unless they say so."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from shelves import Shelf, everything, shelf

from given import Given, upstream_service
from panelry.database.pool import Conn
from panelry.domain import catalog, providers
from panelry.domain.catalog import (
    PER_PACKAGE,
    CurrencyRateMissing,
    InvalidValue,
    Margin,
    Off,
    ProviderServiceNotFound,
    RouteExists,
    RouteId,
    RouteUnclear,
    ServiceEdit,
    ServiceId,
    Sheet,
    SoldBelowCost,
    TypesDiffer,
    UnknownRoute,
    UnknownService,
)
from panelry.domain.catalog.rules import edited, sale_rate
from panelry.domain.money import LARGEST, Micros
from panelry.domain.providers import ProviderId, UpstreamBalance
from panelry.domain.refusals import Refusal


def edit(conn: Conn, one: Shelf, **fields: Any) -> Sheet:
    return catalog.set_service(conn, one.sold["a"], ServiceEdit(**fields))


# Services


def test_every_field_is_kept_as_given(conn: Conn, given: Given) -> None:
    one = shelf(given)
    wishes: dict[str, Any] = {
        "name": "Spring newsletter",
        "description": "Two\nlines, and <b>more</b>",
        "category": "A new one",
        "rate_micros": Micros(2_500_000),
        "minimum": 11,
        "maximum": 12,
        "dripfeed": True,
        "refill": False,
        "cancel": False,
        "refill_days": 7,
        "refill_most": 1,
        "average_time": "2 hours",
    }
    sheet = edit(conn, one, **wishes)
    assert {name: getattr(sheet, name) for name in wishes} == wishes
    assert sheet == one.sheet()
    [listing] = [listing for listing in catalog.listings(conn) if listing.id == sheet.id]
    shown = set(wishes) - {"refill_days", "refill_most"}
    assert {name: getattr(listing, name) for name in shown} == {name: wishes[name] for name in shown}


def test_customers_are_told_of_a_new_rate_and_new_limits_and_of_nothing_else(
    conn: Conn, given: Given
) -> None:
    one = shelf(given)
    edit(conn, one, name="Another name", rate_micros=Micros(2_000_000), maximum=500, minimum=10)
    assert one.told()[1:] == [("rate", "1.20", "2.00"), ("maximum", "1000000", "500")]


def test_the_price_list_gets_a_new_revision_only_where_it_looks_different(conn: Conn, given: Given) -> None:
    one = shelf(given)
    revision = catalog.revision(conn)
    for same in ({}, {"name": "Newsletter placement"}, {"refill_days": 7}, {"below_cost": True}):
        edit(conn, one, **same)
        assert catalog.revision(conn) == revision
    edit(conn, one, cancel=False)
    assert catalog.revision(conn) == revision + 1
    edit(conn, one, on_sale=False)
    assert catalog.revision(conn) == revision + 2
    edit(conn, one, name="Nobody sees it")
    assert catalog.revision(conn) == revision + 2


def test_a_rate_by_hand_no_longer_follows_prices_unless_told_so(conn: Conn, given: Given) -> None:
    one = shelf(given)
    assert not edit(conn, one, rate_micros=Micros(3_000_000)).follows_prices
    one.sync(a="1.10")
    assert one.rate() == 3_000_000
    sheet = edit(conn, one, rate_micros=Micros(9_000_000), follows_prices=True)
    assert (sheet.follows_prices, sheet.rate_micros) == (True, 1_320_000)


def test_a_new_margin_makes_a_new_rate_at_once(conn: Conn, given: Given) -> None:
    one = shelf(given)
    assert edit(conn, one, markup_percent=Decimal("33.3")).rate_micros == 1_333_000
    assert edit(conn, one, markup_micros=Micros(1_000)).rate_micros == 1_334_000
    assert edit(conn, one, rounding_micros=Micros(10_000)).rate_micros == 1_340_000
    assert one.told()[1:] == [
        ("rate", "1.20", "1.333"),
        ("rate", "1.333", "1.334"),
        ("rate", "1.334", "1.34"),
    ]
    edit(conn, one, follows_prices=False)
    assert edit(conn, one, markup_percent=Decimal(50)).rate_micros == 1_340_000


def test_selling_below_cost_is_refused_unless_it_is_allowed(conn: Conn, given: Given) -> None:
    one = shelf(given)
    before = everything(conn)
    with pytest.raises(SoldBelowCost):
        edit(conn, one, name="Never stored", rate_micros=Micros(999_999))
    assert everything(conn) == before
    assert edit(conn, one, rate_micros=Micros(1_000_000)).is_listed
    assert edit(conn, one, rate_micros=Micros(0), below_cost=True).is_listed
    with pytest.raises(SoldBelowCost):
        edit(conn, one, below_cost=False)


def test_nothing_goes_on_sale_for_nothing_by_accident(conn: Conn, given: Given) -> None:
    one = shelf(given, [upstream_service("a", rate="0"), upstream_service("b")])
    assert (one.sheet().off, one.rate(), one.route().cost_micros) == (Off.UNCLEAR, 0, None)
    with pytest.raises(SoldBelowCost):
        edit(conn, one, on_sale=True)
    assert edit(conn, one, on_sale=True, rate_micros=Micros(1)).is_listed


def test_a_person_decides_about_what_was_unclear(conn: Conn, given: Given) -> None:
    one = shelf(given, [upstream_service("a", type_="Package", minimum=1000, maximum=1000)])
    sheet = edit(
        conn, one, rate_micros=Micros(5_000_000), rate_per=PER_PACKAGE, minimum=1, maximum=1, on_sale=True
    )
    assert (sheet.is_listed, sheet.off, one.told()) == (True, None, [("new", "", "5.00 per package")])


def test_what_is_off_sale_and_on_again_is_told(conn: Conn, given: Given) -> None:
    one = shelf(given)
    assert edit(conn, one, on_sale=False).off is Off.STAFF
    assert edit(conn, one, on_sale=True).off is None
    assert one.told()[1:] == [("off_sale", "1.20", ""), ("on_sale", "", "1.20")]


def test_a_higher_rate_pays_for_a_route_that_was_held(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.sync(a="2.00")
    assert edit(conn, one, rate_micros=Micros(1_999_999)).routes[0].off is Off.HELD
    assert edit(conn, one, rate_micros=Micros(2_000_000)).is_listed
    with pytest.raises(SoldBelowCost):
        edit(conn, one, rate_micros=Micros(1_500_000))


WRONG = [
    {"name": ""},
    {"name": "  "},
    {"name": "x" * 501},
    {"name": "two\nlines"},
    {"category": ""},
    {"description": "x" * 65_537},
    {"description": "a\0b"},
    {"average_time": "x" * 201},
    {"rate_micros": -1},
    {"rate_micros": LARGEST + 1},
    {"rate_per": 100},
    {"rate_per": 0},
    {"minimum": 0},
    {"maximum": 2**63},
    {"minimum": 1_000_001},
    {"maximum": 9},
    {"minimum": 50, "maximum": 49},
    {"refill_days": -1},
    {"refill_days": 2**15},
    {"refill_most": 2**15},
    {"markup_percent": Decimal("-0.1")},
    {"markup_percent": Decimal(100_001)},
    {"markup_micros": -1},
    {"rounding_micros": 0},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_one_wrong_value_changes_nothing(conn: Conn, given: Given, wrong: dict[str, Any]) -> None:
    one = shelf(given)
    before = everything(conn)
    with pytest.raises(InvalidValue):
        edit(conn, one, **{"cancel": False, "refill_days": 1, **wrong})
    assert everything(conn) == before


@pytest.mark.parametrize(
    "margin",
    [Margin(percent=Decimal(-1)), Margin(fixed_micros=Micros(-1)), Margin(rounding_micros=Micros(0))],
    ids=str,
)
def test_a_margin_that_makes_no_sense_imports_nothing(conn: Conn, given: Given, margin: Margin) -> None:
    one = shelf(given)
    before = everything(conn)
    with pytest.raises(InvalidValue):
        catalog.import_services(conn, one.provider, chosen=["d"], margin=margin)
    assert everything(conn) == before


def test_what_does_not_exist_cannot_be_changed(conn: Conn, given: Given) -> None:
    with pytest.raises(UnknownService):
        catalog.set_service(conn, ServiceId(2**31 - 1), ServiceEdit(name="x"))
    with pytest.raises(UnknownService):
        catalog.add_route(conn, ServiceId(2**31 - 1), given.provider(), "1")
    with pytest.raises(UnknownRoute):
        catalog.set_route(conn, RouteId(2**31 - 1), on=True)


COUNTS = st.none() | st.integers(-1, 2**63)
AMOUNTS = st.none() | st.integers(-1, LARGEST + 1)
SWITCHES = st.none() | st.booleans()
EDITS = st.builds(
    ServiceEdit, rate_micros=AMOUNTS, minimum=COUNTS, maximum=COUNTS, on_sale=SWITCHES, follows_prices=SWITCHES,
    below_cost=SWITCHES, markup_micros=AMOUNTS, rounding_micros=AMOUNTS,
    markup_percent=st.none() | st.decimals("-1", "100001", places=6),
    rate_per=st.none() | st.sampled_from([1, 1000, 7]), refill_days=st.none() | st.integers(-1, 2**15),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@for_all(edits=st.lists(EDITS, min_size=1, max_size=5))
def test_whatever_is_wished_for_the_database_takes_it_or_it_is_refused(
    conn: Conn, given: Given, edits: list[ServiceEdit]
) -> None:
    one = shelf(given)
    for wish in edits:
        before = one.sheet()
        try:
            expected = edited(before, wish)
            assert catalog.set_service(conn, one.sold["a"], wish) == expected
        except Refusal:
            assert one.sheet() == before
        after = one.sheet()
        assert 1 <= after.minimum <= after.maximum
        if after.is_listed and not after.below_cost:
            assert after.rate_micros >= 1_000_000


# Routes


def provider_with(conn: Conn, given: Given, **how: Any) -> ProviderId:
    provider = given.provider()
    providers.record_snapshot(conn, provider, [upstream_service("x", **how)])
    return provider


def test_a_route_is_added_with_the_cost_and_limits_that_its_provider_lists(conn: Conn, given: Given) -> None:
    one = shelf(given)
    provider = provider_with(conn, given, rate="1.15", minimum=50, maximum=500)
    route_id = catalog.add_route(conn, one.sold["a"], provider, "x", priority=7)
    sheet = one.sheet()
    [route] = [r for r in sheet.routes if r.id == route_id]
    assert (route.provider_id, route.provider_service, route.priority) == (provider, "x", 7)
    assert (route.cost_micros, route.minimum, route.maximum, route.off) == (1_150_000, 50, 500, None)
    assert sheet.routes[0] == route
    assert (sheet.rate_micros, sheet.minimum, sheet.maximum) == (1_380_000, 50, 500)
    assert [r.provider_id for r in catalog.load(conn, [sheet.id])[sheet.id].routes] == [
        provider,
        one.provider,
    ]


def test_a_route_that_stands_in_leaves_price_and_limits_alone(conn: Conn, given: Given) -> None:
    one = shelf(given)
    before, revision = one.sheet(), catalog.revision(conn)
    catalog.add_route(conn, one.sold["a"], provider_with(conn, given, rate="1.20", minimum=1), "x")
    after = one.sheet()
    assert (after.rate_micros, after.minimum) == (before.rate_micros, before.minimum)
    assert (len(after.routes), catalog.revision(conn), one.told()[1:]) == (2, revision, [])


def test_a_route_without_limits_leaves_them_to_the_service(conn: Conn, given: Given) -> None:
    one = shelf(given)
    catalog.add_route(
        conn, one.sold["a"], provider_with(conn, given, minimum=None, maximum=None), "x", priority=1
    )
    assert (one.sheet().minimum, one.sheet().maximum) == (10, 1_000_000)


def test_a_route_opens_a_service_that_had_none(conn: Conn, given: Given) -> None:
    one = shelf(given)
    catalog.set_route(conn, one.route().id, on=False)
    catalog.add_route(conn, one.sold["a"], provider_with(conn, given, rate="2.00"), "x")
    assert (one.sheet().is_listed, one.rate()) == (True, 2_400_000)
    assert one.told()[1:] == [("off_sale", "1.20", ""), ("on_sale", "", "2.40")]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"service": "other"}, ProviderServiceNotFound),
        ({"type_": "Package"}, TypesDiffer),
        ({"type_": "default"}, TypesDiffer),
        ({"rate": "0"}, RouteUnclear),
        ({"rate": "1.200001"}, SoldBelowCost),
    ],
    ids=str,
)
def test_a_route_that_would_not_do_is_refused_and_nothing_changes(
    conn: Conn, given: Given, how: dict[str, Any], why: type[Refusal]
) -> None:
    one = shelf(given)
    provider = given.provider()
    providers.record_snapshot(conn, provider, [upstream_service(how.pop("service", "x"), **how)])
    before = everything(conn)
    with pytest.raises(why):
        catalog.add_route(conn, one.sold["a"], provider, "x")
    assert everything(conn) == before


def test_a_route_is_added_once(conn: Conn, given: Given) -> None:
    one = shelf(given)
    with pytest.raises(RouteExists):
        catalog.add_route(conn, one.sold["a"], one.provider, "a", priority=5)
    assert len(one.sheet().routes) == 1


@pytest.mark.parametrize("priority", [-1, 2**15])
def test_a_priority_that_cannot_be_is_refused(conn: Conn, given: Given, priority: int) -> None:
    one = shelf(given)
    with pytest.raises(InvalidValue):
        catalog.add_route(conn, one.sold["a"], provider_with(conn, given), "x", priority=priority)
    with pytest.raises(InvalidValue):
        catalog.set_route(conn, one.route().id, priority=priority)


@pytest.mark.parametrize(
    ("minimum", "maximum", "per_package", "fits"),
    [(1, 1, True, True), (1000, 1000, True, False), (1, 1, False, False)],
)
def test_a_package_is_bought_only_by_the_piece(
    conn: Conn, given: Given, minimum: int, maximum: int, *, per_package: bool, fits: bool
) -> None:
    limits = (1, 1) if per_package else (1000, 1000)
    row = upstream_service("a", type_="Package", minimum=limits[0], maximum=limits[1])
    one = shelf(given, [row])
    provider = provider_with(conn, given, type_="Package", minimum=minimum, maximum=maximum)
    if fits:
        catalog.add_route(conn, one.sold["a"], provider, "x")
        assert len(one.sheet().open_routes) == 2
    else:
        with pytest.raises(RouteUnclear):
            catalog.add_route(conn, one.sold["a"], provider, "x")


def test_a_route_in_another_currency_wants_its_worth(conn: Conn, given: Given) -> None:
    one = shelf(given)
    provider = provider_with(conn, given, rate="80")
    providers.record_balance(conn, provider, UpstreamBalance(amount=Decimal(5), currency="INR"))
    with pytest.raises(CurrencyRateMissing):
        catalog.add_route(conn, one.sold["a"], provider, "x")
    catalog.add_route(conn, one.sold["a"], provider, "x", priority=1, currency_rate=Decimal("0.0125"))
    assert (one.sheet().routes[0].cost_micros, one.rate()) == (80_000_000, 1_200_000)


def test_a_rate_by_hand_must_pay_for_a_new_route(conn: Conn, given: Given) -> None:
    one = shelf(given)
    edit(conn, one, follows_prices=False)
    provider = provider_with(conn, given, rate="1.30")
    with pytest.raises(SoldBelowCost):
        catalog.add_route(conn, one.sold["a"], provider, "x", priority=1)
    edit(conn, one, below_cost=True)
    catalog.add_route(conn, one.sold["a"], provider, "x", priority=1)
    assert (one.rate(), len(one.sheet().open_routes)) == (1_200_000, 2)


def test_another_first_route_makes_another_price(conn: Conn, given: Given) -> None:
    one = shelf(given)
    route_id = catalog.add_route(conn, one.sold["a"], provider_with(conn, given, rate="1.10"), "x")
    sheet = catalog.set_route(conn, route_id, priority=1)
    assert (sheet.routes[0].id, sheet.rate_micros) == (route_id, 1_320_000)
    assert catalog.set_route(conn, route_id, priority=300).rate_micros == 1_200_000


def test_a_cheaper_first_route_never_makes_the_other_one_sell_below_cost(conn: Conn, given: Given) -> None:
    one = shelf(given)
    catalog.add_route(conn, one.sold["a"], provider_with(conn, given, rate="0.50"), "x", priority=1)
    assert (one.rate(), len(one.sheet().open_routes)) == (1_000_000, 2)
    catalog.set_route(conn, one.route().id, on=False)
    assert one.rate() == 600_000


def test_a_route_that_costs_too_much_is_not_switched_on(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.sync(a="9.00")
    with pytest.raises(SoldBelowCost):
        catalog.set_route(conn, one.route().id, on=True)
    assert one.route().off is Off.HELD


@for_all(
    st.integers(0, 10**15).map(Micros),
    st.decimals("0.0000000001", "9999999999", places=10),
    st.decimals("0", "10000", places=4),
    st.integers(0, 10**12).map(Micros),
    st.integers(1, 10**12).map(Micros),
)
def test_a_rate_is_the_least_multiple_that_pays_for_cost_and_margin(
    cost: Micros, worth: Decimal, percent: Decimal, fixed: Micros, rounding: Micros
) -> None:
    margin = Margin(percent=percent, fixed_micros=fixed, rounding_micros=rounding)
    rate = sale_rate(cost, currency_rate=worth, margin=margin)
    exact = cost * Fraction(worth) * (1 + Fraction(percent) / 100) + fixed
    if rate == LARGEST:
        assert exact > LARGEST - rounding
    else:
        assert rate % rounding == 0
        assert exact <= rate < exact + rounding
