"""Packed lists arrive as what they were, whatever is in them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from panelry.database.arrays import PACKERS
from panelry.database.pool import Conn, Pool
from panelry.database.statements import Statements

Echo = Callable[[Conn, str, Any], Any]
ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "uuid": st.uuids(),
    "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    "bytea": st.binary(),
    "timestamptz": st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 (the strategy adds it)
}
LISTS = st.one_of(
    [
        st.tuples(st.just(type_), st.lists(st.none() | values, max_size=40))
        for type_, values in ELEMENTS.items()
    ]
)


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Echo:
    path = tmp_path_factory.mktemp("statements") / "statements.sql"
    path.write_text(
        "\n".join(f"-- name: {t}\n-- Echo.\nSELECT :values::{t}[];" for t in (*PACKERS, "boolean"))
    )
    statements = Statements(path)
    return lambda conn, type_, values: statements[type_](conn, values=values).fetchall()[0][0]


def test_every_packed_type_is_tried() -> None:
    assert PACKERS.keys() == ELEMENTS.keys()


@settings(max_examples=300)
@for_all(LISTS)
def test_a_list_arrives_as_it_was(pool: Pool, echo: Echo, sent: tuple[str, list[Any]]) -> None:
    type_, values = sent
    with pool.connection() as conn:
        assert echo(conn, type_, values) == values
        assert echo(conn, type_, tuple(values)) == values


def test_nothing_in_place_of_a_list_stays_nothing(conn: Conn, echo: Echo) -> None:
    for type_ in PACKERS:
        assert echo(conn, type_, None) is None


def test_a_list_of_another_type_goes_through_the_driver(conn: Conn, echo: Echo) -> None:
    assert echo(conn, "boolean", [True, None, False]) == [True, None, False]


@pytest.mark.parametrize(
    ("type_", "value"), [("smallint", 2**15), ("integer", 2**31), ("bigint", -(2**63) - 1)]
)
def test_a_number_that_no_column_holds_is_an_error(conn: Conn, echo: Echo, type_: str, value: int) -> None:
    for values in ([value], [value, None]):
        with pytest.raises(psycopg.DataError):
            echo(conn, type_, values)


def test_lists_of_every_size_and_sort_are_one_prepared_statement(conn: Conn, echo: Echo) -> None:
    for values in ([1], [2**40, 5], [None], [], [1] * 300) * 3:
        echo(conn, "bigint", values)
    [[count]] = conn.execute(
        "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%bigint[]%'"
    ).fetchall()
    assert count == 1
