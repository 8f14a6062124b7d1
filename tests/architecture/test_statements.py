"""Every statement suits the tables that it speaks about, and is used."""

import re
from pathlib import Path

import psycopg
import pytest

from panelry.database.pool import Conn
from panelry.database.statements import Statement, Statements

SOURCE = Path(__file__).parents[2] / "src" / "panelry"
FILES = sorted([*SOURCE.rglob("statements.sql"), *SOURCE.rglob("statements/")])
ALL = [(path, statement) for path in FILES for statement in Statements(path).values()]
NAMES = [f"{path.parent.name}.{statement.name}" for path, statement in ALL]


def test_there_are_statements() -> None:
    assert len(FILES) >= 6


@pytest.mark.parametrize(("path", "statement"), ALL, ids=NAMES)
def test_a_statement_prepares_against_the_migrated_schema(
    conn: Conn, path: Path, statement: Statement
) -> None:
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    query = re.sub(r"%\((\w+)\)b", number, statement.query.decode()).replace("%%", "%")
    conn.execute(f"PREPARE checked AS {query}".encode())
    [[types]] = conn.execute(
        "SELECT parameter_types::text FROM pg_prepared_statements WHERE name = 'checked'"
    ).fetchall()
    assert "unknown" not in types
    conn.execute("DEALLOCATE checked")


@pytest.mark.parametrize(("path", "statement"), ALL, ids=NAMES)
def test_every_parameter_of_a_statement_says_its_type(path: Path, statement: Statement) -> None:
    untyped = re.findall(r"(?<![:\w]):([a-z_]+)\b(?!::)", statement.sql)
    assert untyped == []


@pytest.mark.parametrize(("path", "statement"), ALL, ids=NAMES)
def test_a_statement_is_used_by_its_area(path: Path, statement: Statement) -> None:
    code = "".join(file.read_text() for file in path.parent.rglob("*.py"))
    assert f'SQL["{statement.name}"]' in code


@pytest.mark.parametrize(
    "path",
    sorted({file for path in FILES for file in (path.glob("*.sql") if path.is_dir() else [path])}),
    ids=str,
)
def test_a_file_of_statements_is_names_comments_and_statements(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400
    pieces = re.split(r"^-- name: [a-z_]+$", path.read_text(), flags=re.MULTILINE)
    assert pieces[0].strip() == ""
    for piece in pieces[1:]:
        assert piece.strip().startswith("-- "), piece
        assert piece.strip().endswith(";"), piece


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_code_uses_no_statement_that_does_not_exist(path: Path) -> None:
    code = "".join(file.read_text() for file in path.parent.rglob("*.py"))
    assert set(re.findall(r'SQL\["(\w+)"\]', code)) <= set(Statements(path))


def test_a_statement_with_a_fault_would_not_prepare(conn: Conn) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        conn.execute("PREPARE checked AS SELECT nothing FROM wallets")
