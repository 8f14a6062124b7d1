"""Importing what providers list, and by which route it is bought."""

from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st

from given import Given, draft, upstream_service
from panelry.connectors.panel_v2 import answers
from panelry.database.pool import Conn
from panelry.domain import catalog, providers
from panelry.domain.catalog import (
    PER_PACKAGE,
    PER_THOUSAND,
    SELLABLE_TYPES,
    CurrencyRateMissing,
    ProviderServiceNotFound,
    Route,
    RouteId,
    ServiceId,
)
from panelry.domain.catalog.rules import for_sale, route_for, sale_rate
from panelry.domain.money import LARGEST, Micros
from panelry.domain.orders import Placed, place
from panelry.domain.providers import ProviderId, SnapshotRow, UpstreamBalance, UpstreamService

CATALOGUES = sorted((Path(__file__).parents[1] / "connectors" / "catalogues").glob("*.json"))
RATES = st.integers(0, 10**15).map(Micros)
CURRENCY_RATES = st.decimals("0.0000000001", "9999999999", places=10)
MARKUPS = st.decimals("0", "10000", places=4)


def listed(path: Path) -> list[UpstreamService]:
    return answers.services(answers.document(path.read_bytes()))


def row(
    type_: str = "Default", minimum: int | None = 10, maximum: int | None = 1000, rate: int = 1_000_000
) -> SnapshotRow:
    return SnapshotRow(
        service="1", name="n", type=type_, category="c", rate_micros=Micros(rate), minimum=minimum, maximum=maximum,
        dripfeed=True, refill=True, cancel=True, description="", average_time="",
    )  # fmt: skip


def is_understood(said: UpstreamService) -> bool:
    limits = (said.minimum, said.maximum)
    if said.type in {"Package", "Custom Comments Package"}:
        return limits == (1, 1)
    return said.type in SELLABLE_TYPES and None not in limits and 1 <= limits[0] <= limits[1]


def state(conn: Conn, service: ServiceId) -> str:
    [[found]] = conn.execute("SELECT state FROM services WHERE id = %s", [service]).fetchall()
    return str(found)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_real_catalogue_is_imported_whole_and_only_what_is_understood_goes_on_sale(
    conn: Conn, given: Given, path: Path
) -> None:
    rows = listed(path)
    provider = given.provider()
    providers.record_snapshot(conn, provider, rows)
    revision = catalog.revision(conn)
    imported = catalog.import_services(
        conn, provider, chosen=None, margin=catalog.Margin(percent=Decimal(20))
    )
    assert {i.provider_service for i in imported} == {r.service for r in rows}
    assert catalog.revision(conn) == revision + 1
    by_service = {r.service: r for r in rows}
    for found in imported:
        said = by_service[found.provider_service]
        assert found.on_sale == is_understood(said), said
    listings = {listing.id: listing for listing in catalog.listings(conn)}
    for found in imported:
        if found.on_sale:
            said = by_service[found.provider_service]
            listing = listings[found.service]
            assert listing.rate_micros == ceil(Fraction(said.rate) * 1_200_000)
            assert (listing.minimum, listing.maximum, listing.rate_per) == (
                said.minimum,
                said.maximum,
                PER_PACKAGE if "Package" in said.type else PER_THOUSAND,
            )
            assert (listing.name, listing.refill, listing.cancel) == (said.name, said.refill, said.cancel)


def test_importing_again_changes_nothing_and_tells_the_same(conn: Conn, given: Given) -> None:
    provider = given.provider()
    providers.record_snapshot(conn, provider, listed(CATALOGUES[1])[:50])
    first = catalog.import_services(conn, provider, chosen=None)
    revision = catalog.revision(conn)
    conn.execute("UPDATE services SET rate_micros = 7 WHERE id = %s", [first[0].service])
    assert (
        catalog.import_services(conn, provider, chosen=None, margin=catalog.Margin(percent=Decimal(50)))
        == first
    )
    assert catalog.revision(conn) == revision
    [kept] = [listing for listing in catalog.listings(conn) if listing.id == first[0].service]
    assert kept.rate_micros == 7


def test_only_what_was_chosen_is_imported_each_once_in_the_order_chosen(conn: Conn, given: Given) -> None:
    provider = given.provider()
    providers.record_snapshot(conn, provider, [upstream_service(s) for s in ("1", "2", "3")])
    imported = catalog.import_services(conn, provider, chosen=["3", "1", "3"])
    assert [i.provider_service for i in imported] == ["3", "1"]


def test_a_service_that_is_not_in_the_list_is_refused_and_nothing_is_imported(
    conn: Conn, given: Given
) -> None:
    provider = given.provider()
    providers.record_snapshot(conn, provider, [upstream_service("1")])
    with pytest.raises(ProviderServiceNotFound):
        catalog.import_services(conn, provider, chosen=["1", "2"])
    assert conn.execute("SELECT count(*) FROM routes WHERE provider_id = %s", [provider]).fetchall() == [(0,)]


# What goes on sale


@pytest.mark.parametrize(
    ("type_", "minimum", "maximum", "on_sale", "per"),
    [
        ("Default", 10, 1000, True, PER_THOUSAND),
        ("Default", 1, 1, True, PER_THOUSAND),
        ("Default", 1, 2_147_483_647, True, PER_THOUSAND),
        ("Default", 1000, 10, False, PER_THOUSAND),
        ("Default", None, 1000, False, PER_THOUSAND),
        ("Default", 10, None, False, PER_THOUSAND),
        ("Default", None, None, False, PER_THOUSAND),
        ("Default", 0, 1000, False, PER_THOUSAND),
        ("Default", 0, 0, False, PER_THOUSAND),
        ("Package", 1, 1, True, PER_PACKAGE),
        ("Package", 1, 10, False, PER_THOUSAND),
        ("Package", 1000, 1000, False, PER_THOUSAND),
        ("Package", None, None, False, PER_THOUSAND),
        ("Custom Comments Package", 1, 1, True, PER_PACKAGE),
        ("Custom Comments", 1, 1, True, PER_THOUSAND),
        ("Subscriptions", 10, 1000, True, PER_THOUSAND),
        ("default", 10, 1000, False, PER_THOUSAND),
        ("", 10, 1000, False, PER_THOUSAND),
    ],
)
def test_only_what_needs_no_guess_goes_on_sale(
    type_: str, minimum: int | None, maximum: int | None, *, on_sale: bool, per: int
) -> None:
    sale = for_sale(row(type_, minimum, maximum), currency_rate=Decimal(1), margin=catalog.Margin())
    assert (sale.on_sale, sale.rate_per) == (on_sale, per)
    assert 1 <= sale.minimum <= sale.maximum


@for_all(
    st.sampled_from(["Default", "Package", "Poll", ""]),
    st.none() | st.integers(0, 2**63 - 1),
    st.none() | st.integers(0, 2**63 - 1),
    RATES,
)
def test_every_row_becomes_a_service_that_the_database_takes(
    type_: str, minimum: int | None, maximum: int | None, rate: Micros
) -> None:
    sale = for_sale(row(type_, minimum, maximum, rate), currency_rate=Decimal(1), margin=catalog.Margin())
    assert 1 <= sale.minimum <= sale.maximum < 2**63
    assert 0 <= sale.rate_micros <= LARGEST
    assert sale.rate_per in {1, 1000}


@for_all(RATES, CURRENCY_RATES, MARKUPS)
@example(Micros(10**10 + 1), Decimal("100000000.0000000001"), Decimal(0))
def test_a_price_is_the_exact_cost_with_its_margin_rounded_up_and_never_below(
    cost: Micros, currency_rate: Decimal, markup: Decimal
) -> None:
    exact = cost * Fraction(currency_rate) * (100 + Fraction(markup)) / 100
    assert sale_rate(cost, currency_rate=currency_rate, margin=catalog.Margin(percent=markup)) == min(
        ceil(exact), LARGEST
    )


def test_a_price_that_means_not_for_sale_is_imported_and_can_be_paid_by_nobody(
    conn: Conn, given: Given
) -> None:
    [service] = given.services(None, [upstream_service(rate="999999999")])
    customer = given.customer("1000")
    [answer] = place(conn, [draft(customer, service)])
    assert not isinstance(answer, Placed)


def test_what_is_listed_for_nothing_waits_for_a_person() -> None:
    assert not for_sale(row(rate=0), currency_rate=Decimal(1), margin=catalog.Margin()).on_sale


def test_a_providers_currency_is_converted(conn: Conn, given: Given) -> None:
    provider = given.provider()
    conn.execute("UPDATE providers SET currency_rate = 0.0125, currency = 'INR' WHERE id = %s", [provider])
    [service] = given.services(provider, [upstream_service(rate="80.004")])
    [listing] = [found for found in catalog.listings(conn) if found.id == service]
    assert listing.rate_micros == 1_000_050


def test_a_row_without_a_category_is_found_under_other(conn: Conn, given: Given) -> None:
    provider = given.provider()
    providers.record_snapshot(conn, provider, [upstream_service("1")])
    conn.execute("UPDATE provider_services SET category = '' WHERE provider_id = %s", [provider])
    [imported] = catalog.import_services(conn, provider, chosen=None)
    [listing] = [found for found in catalog.listings(conn) if found.id == imported.service]
    assert listing.category == "Other"


# Routes


def route(number: int, *, is_open: bool = True) -> Route:
    return Route(id=RouteId(number), provider_id=ProviderId(number), provider_service="s", is_open=is_open)


@pytest.mark.parametrize(
    ("routes", "refused", "chosen"),
    [
        ([route(1), route(2)], [], 1),
        ([route(1, is_open=False), route(2)], [], 2),
        ([route(1, is_open=False), route(2, is_open=False)], [], 1),
        ([route(1), route(2)], [1], 2),
        ([route(1, is_open=False), route(2)], [2], 1),
        ([route(1), route(2)], [1, 2], None),
        ([], [], None),
    ],
)
def test_the_first_open_route_is_taken_that_has_not_refused(
    routes: list[Route], refused: list[int], chosen: int | None
) -> None:
    found = route_for(routes, refused=[RouteId(number) for number in refused])
    assert (found.id if found else None) == chosen


def test_a_service_is_loaded_with_its_open_and_closed_routes_in_their_order(conn: Conn, given: Given) -> None:
    first = given.provider()
    service = given.service(first)
    last, middle = given.route(service, priority=300), given.route(service, priority=200)
    providers.pause(conn, [middle], "by hand")
    loaded = catalog.load(conn, [service])[service]
    assert [(r.provider_id, r.is_open) for r in loaded.routes] == [
        (first, True),
        (middle, False),
        (last, True),
    ]
    catalog.close_routes(conn, [loaded.routes[0].id])
    assert [r.provider_id for r in catalog.load(conn, [service])[service].routes] == [middle, last]
    catalog.close_routes(conn, [])


def test_what_is_off_sale_is_listed_and_loaded_only_where_asked_for(conn: Conn, given: Given) -> None:
    service = given.service()
    conn.execute("UPDATE services SET state = 'off_sale' WHERE id = %s", [service])
    assert service not in {listing.id for listing in catalog.listings(conn)}
    assert catalog.load(conn, [service]) == {}
    assert set(catalog.load(conn, [service], off_sale_too=True)) == {service}
    assert state(conn, service) == "off_sale"


def test_a_provider_in_another_currency_is_not_sold_one_to_one_unless_a_person_says_so(
    conn: Conn, given: Given
) -> None:
    provider = given.provider()
    providers.record_balance(conn, provider, UpstreamBalance(amount=Decimal(5), currency="INR"))
    providers.record_snapshot(conn, provider, [upstream_service("1"), upstream_service("2")])
    with pytest.raises(CurrencyRateMissing):
        catalog.import_services(conn, provider, chosen=["1"])
    told = catalog.import_services(conn, provider, chosen=["1"], currency_rate=Decimal("0.012"))
    later = catalog.import_services(conn, provider, chosen=["2"])
    sold = catalog.load(conn, [told[0].service, later[0].service])
    assert {service.rate_micros for service in sold.values()} == {12_000}
