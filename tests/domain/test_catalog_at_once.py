"""Several who change the catalogue at once, while it is sold from."""

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from shelves import PERCENT, Shelf, shelf
from threads import at_once

from given import Customer, Given, draft, upstream_service
from panelry.database.pool import Pool
from panelry.domain import catalog, orders, providers
from panelry.domain.catalog import MoveNotHeld, ServiceEdit, Synced
from panelry.domain.money import Micros
from panelry.domain.orders import Placed


def opened(pool: Pool) -> tuple[Shelf, Customer]:
    with pool.transaction() as conn:
        given = Given(conn)
        one = shelf(given, [upstream_service(str(n)) for n in range(50)])
        return one, given.customer("1000")


def sync(pool: Pool, one: Shelf, rate: str) -> Synced:
    rows = [replace(row, rate=Decimal(rate)) for row in one.rows.values()]
    with pool.transaction() as conn:
        return catalog.sync(conn, one.provider, rows, move_percent=PERCENT)


def approve(pool: Pool) -> None:
    for _ in range(20):
        with pool.transaction() as conn, suppress(MoveNotHeld):
            catalog.approve_moves(conn, [move.id for move in reversed(catalog.held_moves(conn))])


def test_two_syncs_at_once_are_like_one_after_the_other(fresh_pool: Pool) -> None:
    for _ in range(5):
        one, _customer = opened(fresh_pool)
        results = at_once([lambda one=one: sync(fresh_pool, one, "5.00") for _ in range(4)])
        assert sorted(len(r.changes) for r in results if isinstance(r, Synced)) == [0, 0, 0, 150]
        with fresh_pool.transaction() as conn:
            held = [m for m in catalog.held_moves(conn) if m.service_id in one.sold.values()]
            assert len(held) == 50
            assert len(providers.snapshot(conn, one.provider)) == 50


def test_syncing_editing_closing_and_placing_at_once_never_wait_for_each_other_in_a_ring(
    fresh_pool: Pool,
) -> None:
    one, customer = opened(fresh_pool)
    services = list(one.sold.values())

    def edit() -> None:
        for service in reversed(services):
            with fresh_pool.transaction() as conn:
                catalog.set_service(conn, service, ServiceEdit(markup_micros=Micros(7)))

    def close() -> None:
        for service in services:
            with fresh_pool.transaction() as conn:
                routes = [route.id for route in catalog.sheets(conn, [service])[service].routes]
                catalog.close_routes(conn, routes)
                providers.pause(conn, [one.provider], "funds")

    def place() -> int:
        placed = 0
        for service in services:
            with fresh_pool.transaction() as conn:
                [answer] = orders.place(conn, [draft(customer, service)])
                placed += isinstance(answer, Placed)
        return placed

    def follow() -> None:
        for rate in ("1.10", "1.20", "9.00", "1.00", "1.10"):
            sync(fresh_pool, one, rate)

    results = at_once([edit, close, place, follow, follow, lambda: approve(fresh_pool)])
    assert [r for r in results if isinstance(r, Exception)] == []
    sync(fresh_pool, one, "1.10")
    approve(fresh_pool)
    last = sync(fresh_pool, one, "1.10")
    assert sync(fresh_pool, one, "1.10").changes == ()
    assert last.services == 50
    with fresh_pool.transaction() as conn:
        assert {s.rate_micros for s in catalog.sheets(conn, services).values()} == {1_320_007}
        Given(conn).assert_books()
