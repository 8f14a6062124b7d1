"""The catalogue follows what providers list, and asks a person about what is hard to believe."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from shelves import Shelf, everything, kinds, shelf

from given import Given, draft, upstream_service
from panelry.database.pool import Conn
from panelry.domain import catalog, providers
from panelry.domain.catalog import (
    Margin,
    MoveNotHeld,
    Off,
    ServiceEdit,
    ServiceNotFound,
    SoldBelowCost,
)
from panelry.domain.money import Micros
from panelry.domain.orders import place
from panelry.domain.refusals import TemporaryFailure


def listed(conn: Conn, one: Shelf, name: str = "a") -> bool:
    return one.sold[name] in {listing.id for listing in catalog.listings(conn)}


# Prices


def test_a_price_is_followed_with_its_margin_and_customers_are_told(conn: Conn, given: Given) -> None:
    one = shelf(given)
    revision = catalog.revision(conn)
    assert kinds(one.sync(a="1.10")) == ["rate", "cost"]
    assert (one.rate(), one.route().cost_micros) == (1_320_000, 1_100_000)
    assert one.told() == [("new", "", "1.20"), ("rate", "1.20", "1.32")]
    assert one.told("b") == [("new", "", "1.20")]
    assert catalog.revision(conn) == revision + 1


def test_the_same_list_again_changes_nothing(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.alter("c", maximum=99)
    del one.rows["b"]
    one.sync(a="9.00")
    before = everything(conn)
    assert one.sync() == []
    assert everything(conn) == before


@pytest.mark.parametrize(
    ("rates", "followed"),
    [
        (["1.25"], ["1.25"]),
        (["1.250001"], ["1.00"]),
        (["0.75"], ["0.75"]),
        (["0.749999"], ["1.00"]),
        (["1.20", "1.44"], ["1.20", "1.44"]),
        (["1.30"], ["1.00"]),
        (["1.30", "1.50"], ["1.00", "1.00"]),
        (["1.30", "1.20"], ["1.00", "1.20"]),
        (["1000.00"], ["1.00"]),
        (["0.001"], ["1.00"]),
        (["999999999"], ["1.00"]),
        (["0"], ["1.00"]),
        (["0", "1.20"], ["1.00", "1.20"]),
        (["1.20", "0", "1.50"], ["1.20", "1.20", "1.50"]),
    ],
    ids=str,
)
def test_a_price_is_believed_within_a_quarter_of_the_last_believed_one_either_way(
    given: Given, rates: list[str], followed: list[str]
) -> None:
    one = shelf(given)
    costs = []
    for rate in rates:
        one.sync(a=rate)
        costs.append(one.route().cost_micros)
    assert costs == [Decimal(cost) * 1_000_000 for cost in followed]
    assert one.rate() == Decimal(followed[-1]) * 1_200_000


def test_the_threshold_is_the_operators(conn: Conn, given: Given) -> None:
    one = shelf(given)
    for percent, rate, cost in (("0", "1.000001", 1_000_000), ("0.0001", "1.000001", 1_000_001)):
        one.change(a=rate)
        catalog.sync(conn, one.provider, list(one.rows.values()), move_percent=Decimal(percent))
        assert one.route().cost_micros == cost


def test_a_rate_that_a_person_set_is_kept_while_it_pays_for_the_cost(conn: Conn, given: Given) -> None:
    one = shelf(given)
    catalog.set_service(conn, one.sold["a"], ServiceEdit(rate_micros=Micros(1_150_000)))
    one.sync(a="1.10")
    assert (one.rate(), one.route().cost_micros, one.route().off) == (1_150_000, 1_100_000, None)
    one.sync(a="1.20")
    assert (one.rate(), one.route().cost_micros, one.route().off) == (1_150_000, 1_100_000, Off.HELD)
    assert (one.moves(), listed(conn, one)) == ([("1.2", "held")], False)
    one.sync(a="1.15")
    assert (one.route().cost_micros, one.route().off, one.moves()) == (1_150_000, None, [("1.2", "gone")])


def test_a_service_that_may_be_sold_below_cost_stays_but_not_through_a_leap(conn: Conn, given: Given) -> None:
    one = shelf(given)
    edit = ServiceEdit(rate_micros=Micros(500_000), below_cost=True)
    catalog.set_service(conn, one.sold["a"], edit)
    one.sync(a="1.20")
    assert (one.rate(), one.route().cost_micros, one.route().off) == (500_000, 1_200_000, None)
    one.sync(a="1200")
    assert (one.route().cost_micros, one.route().off) == (1_200_000, Off.HELD)
    one.sync(a="0.60")
    assert (one.route().cost_micros, one.route().off) == (1_200_000, None)


def test_a_currencys_worth_counts_and_a_new_worth_is_followed(conn: Conn, given: Given) -> None:
    one = shelf(given, margin=Margin())
    conn.execute("UPDATE providers SET currency_rate = 0.0125 WHERE id = %s", [one.provider])
    assert kinds(one.sync()) == ["rate"] * 3
    assert one.rate() == 12_500
    one.sync(a="1.00004")
    assert one.rate() == 12_501


def test_a_rate_of_ones_own_that_a_currency_outgrew_is_sold_no_more(conn: Conn, given: Given) -> None:
    one = shelf(given)
    catalog.set_service(conn, one.sold["a"], ServiceEdit(follows_prices=False))
    conn.execute("UPDATE providers SET currency_rate = 2 WHERE id = %s", [one.provider])
    assert kinds(c for c in one.sync() if c.service_id == one.sold["a"]) == ["off_sale", "held", "route_off"]
    with pytest.raises(SoldBelowCost):
        catalog.approve_moves(conn, [one.held()])
    catalog.set_service(conn, one.sold["a"], ServiceEdit(rate_micros=Micros(2_000_000)))
    assert listed(conn, one)
    one.sync()
    assert one.moves() == [("1", "gone")]


def test_rates_are_rounded_up_to_what_the_operator_chose(given: Given) -> None:
    margin = Margin(percent=Decimal("7.5"), fixed_micros=Micros(30_000), rounding_micros=Micros(50_000))
    one = shelf(given, margin=margin)
    assert one.rate() == 1_150_000  # 1.105
    one.sync(a="1.02", b="1.041861")
    assert (one.rate(), one.rate("b")) == (1_150_000, 1_200_000)  # 1.1265, 1.150000575


# Held prices


def test_a_leap_that_customers_do_not_pay_for_takes_the_service_off_until_it_is_decided(
    conn: Conn, given: Given
) -> None:
    one = shelf(given)
    customer = given.customer("100")
    assert kinds(one.sync(a="1000.00")) == ["off_sale", "held", "route_off"]
    assert (one.rate(), one.route().cost_micros, one.route().off) == (1_200_000, 1_000_000, Off.HELD)
    assert one.told()[1:] == [("off_sale", "1.20", "")]
    [refused] = place(conn, [draft(customer, one.sold["a"])])
    assert isinstance(refused, ServiceNotFound)
    [move] = catalog.held_moves(conn)
    assert (move.before_micros, move.after_micros, move.is_open) == (1_000_000, 1_000_000_000, False)
    assert (move.rate_micros, move.provider_service, move.service_id) == (1_200_000, "a", one.sold["a"])
    assert kinds(catalog.approve_moves(conn, [move.id])) == ["on_sale", "cost", "route_on"]
    assert (one.rate(), one.route().cost_micros) == (1_200_000_000, 1_000_000_000)
    assert one.moves() == [("1000", "approved")]
    assert one.sync() == []


@pytest.mark.parametrize(("rate", "markup"), [("0.10", "20"), ("1.40", "50")])
def test_a_move_that_customers_pay_for_is_held_without_harm(
    conn: Conn, given: Given, rate: str, markup: str
) -> None:
    one = shelf(given, margin=Margin(percent=Decimal(markup)))
    before = one.rate()
    assert kinds(one.sync(a=rate)) == ["held"]
    assert (one.rate(), one.route().off, listed(conn, one)) == (before, None, True)
    assert one.told() == one.told("b")


def test_a_price_that_comes_back_takes_its_held_move_along(conn: Conn, given: Given) -> None:
    one = shelf(given)
    before = one.sheet()
    one.sync(a="1000.00")
    assert kinds(one.sync(a="1.00")) == ["on_sale", "route_on"]
    assert one.moves() == [("1000", "gone")]
    assert one.sheet() == before


def test_a_newer_move_takes_the_place_of_the_one_that_is_held(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.sync(a="2.00")
    older = one.held()
    assert kinds(one.sync(a="3.00")) == ["held"]
    assert one.moves() == [("2", "gone"), ("3", "held")]
    for decide in (catalog.approve_moves, catalog.refuse_moves):
        with pytest.raises(MoveNotHeld):
            decide(conn, [older])
    assert one.route().cost_micros == 1_000_000


def test_a_refused_price_is_not_asked_about_again_while_it_stays(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.sync(a="2.00")
    catalog.refuse_moves(conn, [one.held()])
    assert one.sync() == []
    assert (one.moves(), one.route().off) == ([("2", "refused")], Off.HELD)
    assert kinds(one.sync(a="1.10")) == ["on_sale", "cost", "route_on"]
    assert (one.moves(), one.route().off, one.rate()) == ([("2", "gone")], None, 1_320_000)
    assert kinds(one.sync(a="2.00")) == ["off_sale", "held", "route_off"]
    assert one.moves() == [("2", "gone"), ("2", "held")]


def test_another_price_than_the_refused_one_is_asked_about(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.sync(a="2.00")
    catalog.refuse_moves(conn, [one.held()])
    assert kinds(one.sync(a="3.00")) == ["held"]
    assert one.moves() == [("2", "gone"), ("3", "held")]


def test_a_move_is_decided_once(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.sync(a="2.00", b="2.00")
    approved, refused = one.held("a"), one.held("b")
    catalog.approve_moves(conn, [approved])
    catalog.refuse_moves(conn, [refused])
    for move in (approved, refused, catalog.MoveId(2**31 - 1)):
        for decide in (catalog.approve_moves, catalog.refuse_moves):
            with pytest.raises(MoveNotHeld):
                decide(conn, [move])


def test_an_approval_that_would_sell_below_cost_is_refused_and_leaves_the_move_held(
    conn: Conn, given: Given
) -> None:
    one = shelf(given)
    catalog.set_service(conn, one.sold["a"], ServiceEdit(follows_prices=False))
    one.sync(a="2.00")
    with pytest.raises(SoldBelowCost):
        catalog.approve_moves(conn, [one.held()])
    assert one.moves() == [("2", "held")]
    catalog.set_service(conn, one.sold["a"], ServiceEdit(rate_micros=Micros(2_000_000)))
    assert one.route().off is None
    catalog.approve_moves(conn, [one.held()])
    assert (one.route().cost_micros, one.rate()) == (2_000_000, 2_000_000)


# Limits


@pytest.mark.parametrize(
    ("minimum", "maximum", "limits"),
    [
        (20, 500, (20, 500)),
        (10, 500, (10, 500)),
        (1_000_001, 2_000_000, (1_000_001, 2_000_000)),
        (1, 9, (1, 9)),
        (500, 20, (10, 1_000_000)),
        (None, 20, (10, 1_000_000)),
        (20, None, (10, 1_000_000)),
        (None, None, (10, 1_000_000)),
        (0, 20, (10, 1_000_000)),
    ],
)
def test_limits_follow_where_they_make_sense(
    given: Given, minimum: int | None, maximum: int | None, limits: tuple[int, int]
) -> None:
    one = shelf(given)
    one.alter("a", minimum=minimum, maximum=maximum)
    one.sync()
    assert (one.sheet().minimum, one.sheet().maximum) == limits
    assert (one.route().minimum, one.route().maximum) == limits


def test_customers_are_told_of_new_limits(given: Given) -> None:
    one = shelf(given)
    one.alter("a", minimum=20, maximum=500)
    one.sync()
    assert one.told()[1:] == [("minimum", "10", "20"), ("maximum", "1000000", "500")]


def test_limits_that_a_person_set_stay_until_the_providers_own_move(conn: Conn, given: Given) -> None:
    one = shelf(given)
    catalog.set_service(conn, one.sold["a"], ServiceEdit(minimum=100, maximum=5_000))
    assert one.sync() == []
    one.alter("a", maximum=4_000)
    one.sync()
    assert (one.sheet().minimum, one.sheet().maximum) == (100, 4_000)
    one.alter("a", maximum=50)
    one.sync()
    assert (one.sheet().minimum, one.sheet().maximum) == (10, 50)


def test_a_packages_limits_and_price_are_one_and_never_follow_limits(given: Given) -> None:
    rows = [upstream_service(n, type_="Package", minimum=1, maximum=1, rate="75") for n in "abc"]
    one = shelf(given, rows)
    assert one.rate() == 90_000_000
    one.alter("a", minimum=1000, maximum=1000, rate=Decimal(76))
    assert one.sync() == []
    assert kinds(one.sync(b="76")) == ["rate", "cost"]


def test_what_was_unclear_at_import_gets_the_limits_that_its_provider_tells_later(
    conn: Conn, given: Given
) -> None:
    rows = [upstream_service("a", minimum=None, maximum=None), upstream_service("b")]
    one = shelf(given, rows)
    assert (one.sheet().off, one.told()) == (Off.UNCLEAR, [])
    one.alter("a", minimum=50, maximum=500)
    one.sync()
    assert (one.sheet().minimum, one.sheet().maximum, one.sheet().off) == (50, 500, Off.UNCLEAR)
    catalog.set_service(conn, one.sold["a"], ServiceEdit(on_sale=True))
    assert one.told() == [("new", "", "1.20")]


# Off and back on sale


def test_what_vanished_is_off_sale_and_back_as_it_was_when_it_returns(conn: Conn, given: Given) -> None:
    one = shelf(given)
    before, row = one.sheet(), one.rows.pop("a")
    assert kinds(one.sync()) == ["off_sale", "route_off"]
    assert (listed(conn, one), one.route().off) == (False, Off.VANISHED)
    one.rows["a"] = row
    assert kinds(one.sync()) == ["on_sale", "route_on"]
    assert (listed(conn, one), one.sheet()) == (True, before)
    assert one.told()[1:] == [("off_sale", "1.20", ""), ("on_sale", "", "1.20")]


def test_what_returns_at_another_price_is_judged_like_any_other_move(conn: Conn, given: Given) -> None:
    one = shelf(given)
    row = one.rows.pop("a")
    one.sync()
    one.rows["a"] = replace(row, rate=Decimal(5))
    assert kinds(one.sync()) == ["held", "route_off"]
    assert (one.route().off, listed(conn, one)) == (Off.HELD, False)
    one.sync(a="1.20")
    assert (one.route().off, one.rate()) == (None, 1_440_000)


def test_a_held_price_is_over_when_its_service_vanishes(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.sync(a="2.00", b="2.00")
    catalog.refuse_moves(conn, [one.held("b")])
    del one.rows["a"], one.rows["b"]
    one.sync()
    assert one.moves() == [("2", "gone"), ("2", "gone")]
    assert one.route().off is one.route("b").off is Off.VANISHED


def test_an_id_that_now_means_another_type_is_not_what_we_sell(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.alter("a", type="Package", minimum=1, maximum=1)
    one.sync()
    assert one.route().off is Off.VANISHED


def test_a_route_that_a_person_switched_off_never_comes_back_by_itself(conn: Conn, given: Given) -> None:
    one = shelf(given)
    catalog.set_route(conn, one.route().id, on=False)
    assert one.told()[1:] == [("off_sale", "1.20", "")]
    row = one.rows["a"]
    for rows in ({}, {"a": replace(row, rate=Decimal(50))}, {"a": row}):
        one.rows = {name: row for name, row in one.rows.items() if name != "a"} | rows
        one.sync()
        assert one.route().off is Off.STAFF
    assert catalog.set_route(conn, one.route().id, on=True).is_listed


def test_a_service_that_a_person_took_off_sale_stays_off_though_it_follows(conn: Conn, given: Given) -> None:
    one = shelf(given)
    catalog.set_service(conn, one.sold["a"], ServiceEdit(on_sale=False))
    one.sync(a="1.10")
    del one.rows["a"]
    one.sync()
    one.rows["a"] = upstream_service("a", rate="1.10")
    one.sync()
    assert (one.sheet().off, one.rate(), one.route().off) == (Off.STAFF, 1_320_000, None)
    assert one.told()[1:] == [("off_sale", "1.20", "")]


def test_a_route_that_its_provider_denied_comes_back_with_the_next_list_that_has_it(
    conn: Conn, given: Given
) -> None:
    one = shelf(given)
    revision = catalog.revision(conn)
    catalog.close_routes(conn, [one.route().id])
    assert (one.route().off, listed(conn, one)) == (Off.REFUSED, False)
    assert catalog.revision(conn) == revision + 1
    catalog.close_routes(conn, [one.route().id])
    assert catalog.revision(conn) == revision + 1
    assert one.told()[1:] == [("off_sale", "1.20", "")]
    assert kinds(one.sync()) == ["on_sale", "route_on"]
    catalog.close_routes(conn, [one.route().id])
    del one.rows["a"]
    one.sync()
    assert one.route().off is Off.VANISHED


def test_a_denied_route_that_a_person_or_a_price_closed_keeps_that_reason(conn: Conn, given: Given) -> None:
    one = shelf(given)
    catalog.set_route(conn, one.route("a").id, on=False)
    one.sync(b="9.00")
    catalog.close_routes(conn, [one.route("a").id, one.route("b").id])
    assert (one.route("a").off, one.route("b").off) == (Off.STAFF, Off.HELD)


# Two routes


def two(given: Given, first: str, second: str) -> tuple[Shelf, Shelf]:
    """Sell one service of a first provider, which a second one stands in for."""
    one = shelf(given, [upstream_service("a", rate=first), upstream_service("z")], sell="a")
    other = shelf(given, [upstream_service("x", rate=second), upstream_service("z")], sell="")
    catalog.add_route(given.conn, one.sold["a"], other.provider, "x", priority=200)
    other.sold["a"] = one.sold["a"]
    return one, other


def test_the_best_open_route_makes_the_price_and_the_limits(conn: Conn, given: Given) -> None:
    one, other = two(given, "1.00", "1.10")
    other.alter("x", minimum=50, maximum=500)
    other.sync()
    assert (one.rate(), one.sheet().minimum, one.sheet().maximum) == (1_200_000, 10, 1_000_000)
    before, row = one.sheet(), one.rows.pop("a")
    assert "off_sale" not in kinds(one.sync())
    assert (one.rate(), one.sheet().minimum, one.sheet().maximum) == (1_320_000, 50, 500)
    one.rows["a"] = row
    one.sync()
    assert one.sheet() == before


def test_a_route_that_stands_in_is_paid_for_too(conn: Conn, given: Given) -> None:
    one, other = two(given, "1.00", "1.10")
    for rate in ("1.30", "1.50"):
        other.sync(x=rate)
    assert one.rate() == 1_500_000
    other.sync(x="40.00")
    assert (one.rate(), other.route().off, one.route().off) == (1_200_000, Off.HELD, None)
    assert listed(conn, one)
    catalog.set_service(conn, one.sold["a"], ServiceEdit(below_cost=True))
    catalog.approve_moves(conn, [other.held()])
    assert (one.rate(), other.route().off) == (1_200_000, None)


def test_only_a_service_without_any_open_route_is_off_sale(conn: Conn, given: Given) -> None:
    one, other = two(given, "1.00", "1.00")
    del one.rows["a"]
    assert kinds(one.sync()) == ["route_off"]
    del other.rows["x"]
    assert kinds(other.sync()) == ["off_sale", "route_off"]


def test_a_list_says_nothing_about_another_providers_routes(conn: Conn, given: Given) -> None:
    one, other = two(given, "1.00", "1.00")
    before = one.route()
    other.rows["a"] = upstream_service("a", rate="1.20")
    other.sync()
    assert one.route() == before


# Guards


@pytest.mark.parametrize("kept", [0, 3])
def test_a_list_that_is_not_believed_changes_nothing_at_all(conn: Conn, given: Given, kept: int) -> None:
    one = shelf(given)
    before = (everything(conn), providers.snapshot(conn, one.provider))
    rows = [replace(row, rate=Decimal("1.10")) for row in one.rows.values()][-kept or len(one.rows) :]
    with pytest.raises(TemporaryFailure, match="not believed"):
        one.read(rows)
    assert (everything(conn), providers.snapshot(conn, one.provider)) == before


def test_half_a_list_is_believed_when_a_person_says_so_but_never_an_empty_one(
    conn: Conn, given: Given
) -> None:
    one = shelf(given)
    rows = [row for name, row in one.rows.items() if name in "ab"]
    assert one.read(rows, anyway=True).services == 2
    assert (one.route("a").off, one.route("c").off) == (None, Off.VANISHED)
    assert len(providers.snapshot(conn, one.provider)) == 2
    with pytest.raises(TemporaryFailure):
        one.read([], anyway=True)


def test_of_two_rows_with_one_id_the_first_counts(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.read([upstream_service("a", rate="1.10"), *one.rows.values()])
    assert one.route().cost_micros == 1_100_000


def test_a_sync_that_its_caller_gives_up_has_changed_nothing(conn: Conn, given: Given) -> None:
    one = shelf(given)
    before = everything(conn)
    with conn.transaction():
        one.sync(a="1.10")
        raise psycopg.Rollback
    assert everything(conn) == before


# Updates


def test_updates_are_read_newest_first_and_page_by_page(conn: Conn, given: Given) -> None:
    one = shelf(given)
    for rate in ("1.10", "1.20", "1.30"):
        one.sync(a=rate)
    read: list[Any] = []
    while page := catalog.updates(conn, most=2, before=read[-1].id if read else None):
        assert len(page) <= 2
        read += page
    ours = [u for u in read if u.service_id in one.sold.values()]
    assert [(u.kind, u.after) for u in ours[:3]] == [("rate", "1.56"), ("rate", "1.44"), ("rate", "1.32")]
    assert [u.kind for u in ours[3:]] == ["new"] * 3
    assert [u.id for u in read] == sorted((u.id for u in read), reverse=True)
    assert {(u.name, u.category) for u in ours} == {("Newsletter placement", "Newsletters")}


def test_a_package_is_told_by_the_piece(given: Given) -> None:
    one = shelf(given, [upstream_service("a", type_="Package", minimum=1, maximum=1, rate="75")])
    assert one.told() == [("new", "", "90.00 per package")]


def test_several_moves_are_decided_together_or_not_at_all(conn: Conn, given: Given) -> None:
    one = shelf(given)
    one.sync(a="2.00", b="3.00", c="4.00")
    held = [one.held(name) for name in "abc"]
    for decide in (catalog.approve_moves, catalog.refuse_moves):
        with pytest.raises(MoveNotHeld):
            decide(conn, [*held, catalog.MoveId(2**31 - 1)])
    assert {state for _, state in one.moves()} == {"held"}
    changes = catalog.approve_moves(conn, [held[1], held[0], held[1]])
    assert kinds(changes) == ["on_sale", "cost", "route_on"] * 2
    assert [one.rate(name) for name in "abc"] == [2_400_000, 3_600_000, 1_200_000]
    assert one.moves() == [("2", "approved"), ("3", "approved"), ("4", "held")]
