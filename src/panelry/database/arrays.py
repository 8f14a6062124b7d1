"""Lists as PostgreSQL's binary arrays, packed whole by the type that the statement names (`:ids::uuid[]`).

psycopg packs a list element by element, in Python: of a set's 12,000 values that was a third of what storing it took. It
also types a list of numbers by the largest of them, which makes a prepared statement for each mixture of sizes. What is
not packed here goes through psycopg as before. The layout is that of array_recv (src/backend/utils/adt/arrayfuncs.c).
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Any, Final

from psycopg.adapt import Buffer, Dumper
from psycopg.errors import NumericValueOutOfRange
from psycopg.pq import Format

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NULL: Final = b"\xff\xff\xff\xff"
_length: Final = struct.Struct(">i").pack
_head: Final = struct.Struct(">iiIii").pack
_empty: Final = struct.Struct(">iiI").pack

Pack = Callable[[Sequence[Any]], bytes]


@dataclass(frozen=True, slots=True)
class Packed:
    """An array as it travels; its type is the one that the statement casts it to."""

    data: bytes


class PackedDumper(Dumper):
    """Hands a packed array to psycopg, and leaves its type to the statement."""

    format = Format.BINARY
    oid = 0

    def dump(self, obj: Packed) -> Buffer | None:
        """Return the array."""
        return obj.data


def _numbers(oid: int, code: str, width: int, values: Sequence[int | None]) -> bytes:
    try:
        if None in values:
            one = struct.Struct(f">i{code}").pack
            return _array(
                oid, [_NULL if value is None else one(width, value) for value in values], has_null=True
            )
        fields: list[Any] = [width] * (2 * len(values))
        fields[1::2] = values
        return _array(oid, [_fields(code, len(values)).pack(*fields)], count=len(values))
    except struct.error as error:
        raise NumericValueOutOfRange(str(error)) from error


@lru_cache(maxsize=1024)
def _fields(code: str, count: int) -> struct.Struct:
    return struct.Struct(">" + f"i{code}" * count)


def _uuids(oid: int, values: Sequence[Any]) -> bytes:
    sized = [_NULL if value is None else b"\0\0\0\x10" + value.int.to_bytes(16) for value in values]
    return _array(oid, sized, has_null=None in values)


def _texts(oid: int, values: Sequence[str | None]) -> bytes:
    known: dict[str | None, bytes] = {None: _NULL}  # most of a column's texts are the same few
    for value in set(values):
        if value is not None:
            data = value.encode()
            known[value] = _length(len(data)) + data
    return _array(oid, [known[value] for value in values], has_null=None in values)


def _bytes(oid: int, values: Sequence[bytes | None]) -> bytes:
    sized = [_NULL if value is None else _length(len(value)) + value for value in values]
    return _array(oid, sized, has_null=None in values)


def _instants(oid: int, values: Sequence[datetime | None]) -> bytes:
    known: dict[datetime | None, int] = {
        value: (value - _EPOCH) // _MICROSECOND for value in set(values) if value is not None
    }
    return _numbers(oid, "q", 8, [known.get(value) for value in values])


def _array(oid: int, parts: Sequence[bytes], *, has_null: bool = False, count: int | None = None) -> bytes:
    body = b"".join(parts)
    if not body:
        return _empty(0, 0, oid)
    return _head(1, has_null, oid, len(parts) if count is None else count, 1) + body


PACKERS: Final[Mapping[str, Pack]] = MappingProxyType(
    {
        "smallint": partial(_numbers, 21, "h", 2),
        "integer": partial(_numbers, 23, "i", 4),
        "bigint": partial(_numbers, 20, "q", 8),
        "uuid": partial(_uuids, 2950),
        "text": partial(_texts, 25),
        "bytea": partial(_bytes, 17),
        "timestamptz": partial(_instants, 1184),
    }
)
"""By the name that a statement gives the type of the elements."""
