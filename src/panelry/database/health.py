"""What tells whether a database is ready for this version of the program, and whether an engine is at work."""

import hashlib
from pathlib import Path
from typing import Final

from panelry.database.pool import Conn
from panelry.database.statements import Statements

SQL: Final = Statements.beside(__file__)
GUARDS: Final = Path(__file__).parents[1] / "schema" / "guards.sql"
MIGRATIONS: Final = (GUARDS.parent / "migrations", *sorted(GUARDS.parents[1].glob("web/*/migrations")))
"""Where the migrations of our own applications stand; each folder lies in one that is called as its application."""


def beat(conn: Conn) -> None:
    """Note that an engine is alive."""
    SQL["beat"](conn)


def engine_age(conn: Conn) -> float | None:
    """Return the seconds since an engine was last alive; `None` where none ever was."""
    row = SQL["engine_age"](conn).fetchone()
    return row[0] if row else None


def is_current(conn: Conn) -> bool:
    """Tell whether the database has seen all migrations of this program and has its guards."""
    [is_made] = conn.execute(
        "SELECT to_regclass('django_migrations') IS NOT NULL AND to_regclass('panel') IS NOT NULL"
    ).fetchall()[0]
    if not is_made:
        return False
    expected = {(folder.parent.name, path.stem) for folder in MIGRATIONS for path in folder.glob("[0-9]*.py")}
    applied = set(SQL["applied"](conn).fetchall())
    guards = [bytes(digest) for (digest,) in SQL["guards"](conn) if digest]
    return expected <= applied and guards == [guards_digest()]


def guards_digest() -> bytes:
    """Return what tells one version of the guards from another."""
    return hashlib.sha256(GUARDS.read_bytes()).digest()
