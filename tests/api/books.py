"""State that is committed, and what a request could have written."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from given import Given
from panelry.database.pool import Pool

Stored = Callable[[], AbstractContextManager[Given]]


@dataclass(frozen=True, slots=True)
class Books:
    """How many rows the tables have that a request could write to."""

    pool: Pool

    def count(self) -> list[int]:
        with self.pool.transaction() as conn:
            row = conn.execute(
                "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM transfers), (SELECT count(*) FROM events),"
                " (SELECT count(*) FROM submissions), (SELECT count(*) FROM wallets)"
            ).fetchone()
        assert row is not None
        return list(row)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        before = self.count()
        yield
        assert self.count() == before
