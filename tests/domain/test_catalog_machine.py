"""Whatever providers list and people change, in whatever order: never below cost, nothing twice, customers know all."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from shelves import Shelf, everything, shelf

from given import Given, upstream_service
from panelry.database.pool import Pool
from panelry.domain import catalog
from panelry.domain.catalog import Margin, MoveNotHeld, Off, RouteId, ServiceEdit, SoldBelowCost
from panelry.domain.money import Micros, text

NAMES = "abc"
SERVICES = st.sampled_from(NAMES)
FACTORS = st.sampled_from(
    ["0", "0.001", "0.5", "0.75", "0.8", "0.9", "1.1", "1.2", "1.25", "1.3", "2", "1000"]
)
LIMITS = st.sampled_from([None, 0, 1, 10, 11, 500, 1000, 10**6])
MARGINS = st.builds(
    Margin, percent=st.sampled_from([Decimal(0), Decimal("7.5"), Decimal(50)]),
    fixed_micros=st.sampled_from([Micros(0), Micros(13)]), rounding_micros=st.sampled_from([Micros(1), Micros(10_000)]),
)  # fmt: skip


class Market(RuleBasedStateMachine):
    """Three services, each bought from a first provider; a second one stands in for all of them."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._transaction = pool.transaction()
        self.conn = self._transaction.__enter__()
        self.given = Given(self.conn)
        self.staff_off: set[RouteId] = set()
        self.shown: dict[int, list[str]] = {}
        self.heard = 0
        self.seen: list[Any] = []
        self.revision = 0

    @initialize(margin=MARGINS)
    def open(self, margin: Margin) -> None:
        rows = [upstream_service(name, rate=f"{n}.000007") for n, name in enumerate(NAMES, start=1)]
        one = shelf(self.given, rows, margin=margin)
        other = shelf(self.given, rows, sell="")
        other.sold = one.sold
        for name, service in one.sold.items():
            catalog.add_route(self.conn, service, other.provider, name, priority=200)
        self.shelves = [one, other]
        [last] = catalog.updates(self.conn, most=1)
        self.heard, self.shown, self.revision = last.id, self.price_list(), catalog.revision(self.conn)
        self.seen = catalog.listings(self.conn)

    def price_list(self) -> dict[int, list[str]]:
        return {
            x.id: [text(x.rate_micros), str(x.minimum), str(x.maximum)] for x in catalog.listings(self.conn)
        }

    def sheets(self) -> list[catalog.Sheet]:
        return list(catalog.sheets(self.conn, self.shelves[0].sold.values()).values())

    def may_be_refused(self, act: Callable[[], object]) -> None:
        """Do it; a refusal has changed nothing."""
        before = everything(self.conn)
        try:
            act()
        except (SoldBelowCost, catalog.InvalidValue, MoveNotHeld):
            assert everything(self.conn) == before

    # What providers do

    @rule(which=st.integers(0, 1), moves=st.dictionaries(SERVICES, FACTORS, max_size=3), name=SERVICES,
          minimum=LIMITS, maximum=LIMITS, gone=st.none() | SERVICES, other_type=st.booleans())  # fmt: skip
    def list_anew(
        self, which: int, moves: dict[str, str], name: str, minimum: int | None, maximum: int | None,
        gone: str | None, other_type: bool,  # noqa: FBT001 (drawn)
    ) -> None:  # fmt: skip
        one = self.shelves[which]
        for service, factor in moves.items():
            rate = (one.rows[service].rate * Decimal(factor)).quantize(Decimal("0.000001"))
            one.alter(service, rate=min(rate, Decimal(999_999_999)) or Decimal(factor))
        one.alter(name, minimum=minimum, maximum=maximum, type="Poll" if other_type else "Default")
        self.sync(one, [row for row in one.rows.values() if row.service != gone])

    @rule(which=st.integers(0, 1))
    def list_as_in_the_beginning(self, which: int) -> None:
        one = self.shelves[which]
        for number, name in enumerate(NAMES, start=1):
            one.rows[name] = replace(upstream_service(name), rate=Decimal(f"{number}.000007"))
        self.sync(one, list(one.rows.values()))

    @rule(which=st.integers(0, 1), worth=st.sampled_from(["0.5", "1", "1.1", "83.123"]))
    def another_worth(self, which: int, worth: str) -> None:
        one = self.shelves[which]
        query = "UPDATE providers SET currency_rate = %s WHERE id = %s"
        self.conn.execute(query, [Decimal(worth), one.provider])
        self.sync(one, list(one.rows.values()))

    def sync(self, one: Shelf, rows: list[Any]) -> None:
        one.read(rows)
        before = everything(self.conn)
        assert one.read(rows).changes == ()
        assert everything(self.conn) == before
        for sheet in self.sheets():
            used = [r for r in sheet.open_routes if r.cost_micros is not None]
            if sheet.follows_prices and used:
                assert sheet.rate_micros % sheet.margin.rounding_micros == 0

    @rule(which=st.integers(0, 1), name=SERVICES)
    def deny(self, which: int, name: str) -> None:
        catalog.close_routes(self.conn, [self.shelves[which].route(name).id])

    # What people do

    @rule(number=st.integers(0, 5), approve=st.booleans())
    def decide(self, number: int, approve: bool) -> None:  # noqa: FBT001 (drawn)
        held = catalog.held_moves(self.conn)
        if held:
            act = catalog.approve_moves if approve else catalog.refuse_moves
            self.may_be_refused(lambda: act(self.conn, [move.id for move in held[number % len(held) :][:2]]))

    @rule(which=st.integers(0, 1), name=SERVICES, on=st.booleans(), priority=st.sampled_from([None, 1, 300]))
    def switch(self, which: int, name: str, on: bool, priority: int | None) -> None:  # noqa: FBT001 (drawn)
        route = self.shelves[which].route(name).id
        self.may_be_refused(lambda: catalog.set_route(self.conn, route, on=on, priority=priority))
        off = self.shelves[which].route(name).off
        (self.staff_off.add if off is Off.STAFF else self.staff_off.discard)(route)

    @rule(name=SERVICES, rate=st.none() | st.integers(0, 10_000_000).map(Micros), follows=st.none() | st.booleans(),
          below=st.none() | st.booleans(), on_sale=st.none() | st.booleans(), percent=st.none() | st.integers(0, 99).map(Decimal),
          minimum=LIMITS)  # fmt: skip
    def edit(
        self, name: str, rate: Micros | None, follows: bool | None, below: bool | None, on_sale: bool | None,  # noqa: FBT001
        percent: Decimal | None, minimum: int | None,
    ) -> None:  # fmt: skip
        edit = ServiceEdit(
            rate_micros=rate,
            follows_prices=follows,
            below_cost=below,
            on_sale=on_sale,
            markup_percent=percent,
            minimum=minimum,
        )
        self.may_be_refused(lambda: catalog.set_service(self.conn, self.shelves[0].sold[name], edit))

    # What is always true

    @invariant()
    def nothing_is_sold_below_cost_unless_allowed(self) -> None:
        for sheet in self.sheets():
            for route in sheet.open_routes:
                asked, cost = route.asked_micros, route.cost_micros
                assert asked is not None
                if Fraction(asked) * Fraction(route.currency_rate) > sheet.rate_micros:
                    assert sheet.below_cost
                    assert cost is not None
                    assert asked <= cost

    @invariant()
    def limits_are_in_order_and_moves_held_once(self) -> None:
        for sheet in self.sheets():
            assert 1 <= sheet.minimum <= sheet.maximum
            assert len({route.id for route in sheet.routes}) == len(sheet.routes) == 2

    @invariant()
    def what_a_person_switched_off_is_off(self) -> None:
        off = {route.id for sheet in self.sheets() for route in sheet.routes if route.off is Off.STAFF}
        assert off == self.staff_off

    @invariant()
    def the_price_list_is_what_customers_were_told(self) -> None:
        now = self.price_list()
        for update in reversed(catalog.updates(self.conn, most=1000)):
            if update.id <= self.heard:
                continue
            self.heard = update.id
            row = self.shown.get(update.service_id)
            match update.kind:
                case "on_sale" | "new":
                    assert row is None
                    self.shown[update.service_id] = [
                        update.after,
                        *now.get(update.service_id, ["", "", ""])[1:],
                    ]
                case "off_sale":
                    assert row is not None
                    assert row[0] == update.before
                    del self.shown[update.service_id]
                case kind:
                    assert row is not None
                    place = ["rate", "minimum", "maximum"].index(kind)
                    assert row[place] == update.before != update.after
                    row[place] = update.after
        assert self.shown == now

    @invariant()
    def the_revision_rises_when_the_price_list_changes_and_only_then(self) -> None:
        revision, seen = catalog.revision(self.conn), catalog.listings(self.conn)
        assert (revision > self.revision) == (seen != self.seen)
        self.revision, self.seen = revision, seen

    def teardown(self) -> None:
        self._transaction.__exit__(psycopg.Rollback, psycopg.Rollback(), None)


@pytest.mark.timeout(3600)
def test_whatever_is_listed_and_changed_the_catalogue_stays_sound(fresh_pool: Pool) -> None:
    run_state_machine_as_test(
        lambda: Market(fresh_pool),
        settings=settings(
            max_examples=max(settings.default.max_examples // 2, 1),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
