"""SQL stands in `statements.sql` beside the code that runs it: named, described, runnable in psql.

A large area has a folder `statements` instead, with a file for each occasion. A file is a sequence of `-- name: place` headings, each followed by a comment that says what it does and one statement
with psql's `:name` parameters. Parameters and results travel in binary, lists packed as the type that the statement names.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from psycopg import Connection, Cursor, adapters
from psycopg.rows import tuple_row

from panelry.database.arrays import PACKERS, Pack, Packed, PackedDumper

_HEADING: Final = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)
_ARRAY: Final = re.compile(r"(?<![:\w]):([a-z_]+)::([a-z]+)\[\]")
_PARAMETER: Final = re.compile(r"(?<![:\w]):([a-z_]+)\b")

adapters.register_dumper(Packed, PackedDumper)

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One named statement; call it with a connection and its parameters."""

    name: str
    sql: str
    query: bytes
    arrays: tuple[tuple[str, Pack], ...]

    def __call__(self, conn: Connection[Any], **parameters: Any) -> Cursor[Row]:
        """Run it and return the cursor; inside `conn.pipeline()` the rows arrive when they are first asked for."""
        for name, pack in self.arrays:
            values = parameters[name]
            if values is not None:
                parameters[name] = Packed(pack(values))
        cursor = Cursor(conn, row_factory=tuple_row)
        return cursor.execute(self.query, parameters, binary=True)


class Statements(Mapping[str, Statement]):
    """The statements of one file, or of one folder of files, by name."""

    def __init__(self, path: Path) -> None:
        """Read them; a name that stands twice is a bug."""
        files = sorted(path.glob("*.sql")) if path.is_dir() else [path]
        pieces = [piece for file in files for piece in _HEADING.split(file.read_text())[1:]]
        self._statements = {
            name: _statement(name, sql) for name, sql in zip(pieces[::2], pieces[1::2], strict=True)
        }
        assert len(self._statements) == len(pieces) // 2, f"a name stands twice in {path}"

    @classmethod
    def beside(cls, module_file: str) -> "Statements":
        """Read `statements.sql` from the folder of a module (`Statements.beside(__file__)`)."""
        return cls(Path(module_file).with_name("statements.sql"))

    def __getitem__(self, name: str) -> Statement:
        return self._statements[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._statements)

    def __len__(self) -> int:
        return len(self._statements)


def _statement(name: str, text: str) -> Statement:
    sql = (
        "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
        .strip()
        .rstrip(";")
    )
    query = _PARAMETER.sub(r"%(\1)b", sql.replace("%", "%%")).encode()
    arrays = {name: PACKERS[type_] for name, type_ in _ARRAY.findall(sql) if type_ in PACKERS}
    return Statement(name=name, sql=sql, query=query, arrays=tuple(arrays.items()))
