"""Six real catalogues, imported whole, and what providers do to them overnight."""

from dataclasses import replace
from decimal import Decimal
from math import ceil
from pathlib import Path

import pytest
from shelves import Shelf, everything, kinds, shelf

from given import Given
from panelry.connectors.panel_v2 import answers
from panelry.database.pool import Conn
from panelry.domain import catalog
from panelry.domain.catalog import Margin
from panelry.domain.providers import UpstreamService
from panelry.domain.refusals import TemporaryFailure

CATALOGUES = sorted((Path(__file__).parents[1] / "connectors" / "catalogues").glob("*.json"))
MARGIN = Margin(percent=Decimal("12.5"))


@pytest.fixture(params=CATALOGUES, ids=lambda path: path.stem)
def one(request: pytest.FixtureRequest, given: Given) -> Shelf:
    return shelf(given, answers.services(answers.document(request.param.read_bytes())), margin=MARGIN)


def on_sale(conn: Conn, one: Shelf) -> dict[str, catalog.Listing]:
    by_id = {service: name for name, service in one.sold.items()}
    return {by_id[x.id]: x for x in catalog.listings(conn) if x.id in by_id}


def understood(row: UpstreamService) -> bool:
    return row.rate > 0 and (row.type not in {"Package", "Custom Comments Package"} or row.maximum == 1)


def test_the_same_list_changes_nothing(conn: Conn, one: Shelf) -> None:
    before = everything(conn)
    assert one.sync() == []
    assert everything(conn) == before


def test_everything_a_thousand_times_dearer_is_held_and_nothing_is_sold_at_the_old_price(
    conn: Conn, one: Shelf
) -> None:
    listed = on_sale(conn, one)
    changes = one.read([replace(row, rate=row.rate * 1000) for row in one.rows.values()]).changes
    priced = [row for row in one.rows.values() if understood(row)]
    assert kinds(changes).count("held") == len(priced)
    assert kinds(changes).count("off_sale") == len(listed)
    assert on_sale(conn, one) == {}
    assert one.sync() != []
    assert on_sale(conn, one) == listed
    assert {state for _, state in one.moves()} == {"gone"}


def test_everything_a_tenth_dearer_is_followed(conn: Conn, one: Shelf) -> None:
    listed = on_sale(conn, one)
    one.read([replace(row, rate=row.rate * Decimal("1.1")) for row in one.rows.values()])
    for name, listing in on_sale(conn, one).items():
        cost = ceil(one.rows[name].rate * Decimal(1_100_000))
        # A price of a few micros moves by more than a quarter when it is rounded up.
        if abs(cost - ceil(one.rows[name].rate * 1_000_000)) * 4 <= ceil(one.rows[name].rate * 1_000_000):
            assert listing.rate_micros == ceil(cost * Decimal("1.125"))
    assert on_sale(conn, one).keys() == listed.keys()


def test_less_than_half_of_the_list_is_not_believed(conn: Conn, one: Shelf) -> None:
    before, rows = everything(conn), list(one.rows.values())
    with pytest.raises(TemporaryFailure):
        one.read(rows[: (len(rows) - 1) // 2])
    assert everything(conn) == before


def test_what_is_gone_is_off_sale_and_back_the_next_day(conn: Conn, one: Shelf) -> None:
    listed, rows = on_sale(conn, one), list(one.rows.values())
    one.read(rows[::2])
    gone = {row.service for row in rows[1::2]}
    assert on_sale(conn, one).keys() == listed.keys() - gone
    one.sync()
    assert on_sale(conn, one) == listed


def test_limits_in_the_wrong_order_are_not_taken_over(conn: Conn, one: Shelf) -> None:
    listed = on_sale(conn, one)
    one.read([replace(row, minimum=row.maximum, maximum=row.minimum) for row in one.rows.values()])
    assert on_sale(conn, one) == listed


def test_what_is_suddenly_free_keeps_its_price(conn: Conn, one: Shelf) -> None:
    listed = on_sale(conn, one)
    one.read([replace(row, rate=Decimal(0)) for row in one.rows.values()])
    assert on_sale(conn, one) == listed
