"""Whatever a provider does wrong: nothing is bought twice, what nobody can know is in view, all else ends as it should."""

from collections.abc import Iterator
from uuid import uuid4

import matrix
import psycopg
import pytest
from cells import TRIALS, Cell, cells
from matrix import Seen

import servers
from connectors import sandboxes
from given import Given
from panelry.connectors.sandbox.behaviours import BEHAVIOURS
from panelry.connectors.sandbox.faults import CALLS

CELLS = cells()
LIES = {"plain", "lost_plain", "lost_no_id"}
"""What no call but `add` suffers here: nothing, an honest "later", and a yes to what was not done."""


@pytest.fixture(scope="module")
def url(database: str) -> Iterator[str]:
    name = f"matrix_{uuid4().hex}"
    with psycopg.connect(servers.on(database, "postgres"), autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE template_panelry')
        yield servers.on(database, name)
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def seen(url: str) -> dict[Cell, list[Seen]]:
    with servers.open_folder() as folder, sandboxes.street() as open_upstream:
        found = matrix.play(url, folder, CELLS, open_upstream)
    return {cell: [one for one in found if one.trial.shop.cell is cell] for cell in CELLS}


@pytest.mark.timeout(500)
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_trial_ends_as_it_may(seen: dict[Cell, list[Seen]], cell: Cell) -> None:
    others = [one for one in seen[cell] if one.end not in cell.ends]
    assert [one for one in others if not _was_too_slow(one)] == []
    assert len(others) * 4 <= len(seen[cell]), "most calls were too slow to tell anything"


def _was_too_slow(one: Seen) -> bool:
    """Tell whether a busy machine made a good answer come too late, and nobody can know it."""
    is_open = one.end.in_view and one.end.state == "processing" and one.end.bought <= 1
    return is_open and any(matrix.TOO_SLOW in note for note in one.evidence)


def test_no_order_is_bought_twice_nor_another_taken_for_it(seen: dict[Cell, list[Seen]]) -> None:
    for cell, trials in seen.items():
        assert max(one.end.bought for one in trials) <= (2 if cell.twins else 1), cell
        for one in trials:
            assert [mark for _, mark in one.adopted] in ([], [one.trial.mark]), one


def test_what_nobody_knows_is_in_view_with_evidence(seen: dict[Cell, list[Seen]]) -> None:
    for one in (one for trials in seen.values() for one in trials):
        assert one.end.in_view == one.is_unknown, one
        assert bool(one.evidence) == one.end.in_view, one
        if one.trial.shop.cell.dialect == "panelry":
            assert not one.end.in_view, one


def test_the_books_are_right(seen: dict[Cell, list[Seen]], url: str) -> None:
    with psycopg.connect(url) as conn:
        Given(conn).assert_books()


def test_every_fault_has_its_cells_and_every_cell_its_trials(seen: dict[Cell, list[Seen]]) -> None:
    for dialect in ("classic", "panelry"):
        ours = [cell for cell in CELLS if cell.dialect == dialect]
        met = {cell.fault for cell in ours} | {c.calls[1] for c in ours if c.calls and c.calls[0] == "add"}
        assert BEHAVIOURS.keys() <= met
        suffered = {cell.calls[1] for cell in ours if cell.calls and cell.calls[0] == "cancel"}
        assert suffered | LIES == set(CALLS)
    assert {len(trials) for cell, trials in seen.items() if not cell.alone} == {TRIALS}
