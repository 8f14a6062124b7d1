"""What tells whether a database is ready for this version of the program, and whether an engine is at work."""

from pathlib import Path
from typing import Final

from panelry.database.pool import Conn
from panelry.database.statements import Statements

SQL: Final = Statements.beside(__file__)
MIGRATIONS: Final = Path(__file__).parents[1] / "schema" / "migrations"


def beat(conn: Conn) -> None:
    """Note that an engine is alive."""
    SQL["beat"](conn)


def engine_age(conn: Conn) -> float | None:
    """Return the seconds since an engine was last alive; `None` where none ever was."""
    row = SQL["engine_age"](conn).fetchone()
    return row[0] if row else None


def missing_migrations(conn: Conn) -> list[str]:
    """Return the names of migrations of this program that the database has not seen."""
    expected = {path.stem for path in MIGRATIONS.glob("[0-9]*.py")}
    return sorted(expected - {name for (name,) in SQL["applied"](conn)})
