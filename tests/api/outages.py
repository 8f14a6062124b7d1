"""Taking a database away from those who use it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from panelry.database.pool import Conn, Pool


class Losing:
    """A pool that loses its connection after every other commit, so that nobody hears of it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.check = pool.check
        self.connection = pool.connection
        self.commits = 0

    @contextmanager
    def transaction(self) -> Iterator[Conn]:
        with self._pool.transaction() as conn:
            yield conn
        self.commits += 1
        if self.commits % 2:
            raise psycopg.OperationalError("the connection was lost after the commit")


def administrator(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(make_conninfo(url, dbname="postgres"), autocommit=True)


def hang_up_all(url: str) -> int:
    """End all connections to a database; return how many there were."""
    with administrator(url) as conn:
        rows = conn.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [conninfo_to_dict(url)["dbname"]],
        ).fetchall()
    return len(rows)


@contextmanager
def closed(url: str) -> Iterator[None]:
    """Let nobody reach a database for a while."""
    name = conninfo_to_dict(url)["dbname"]
    with administrator(url) as conn:
        conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
    hang_up_all(url)
    try:
        yield
    finally:
        with administrator(url) as conn:
            conn.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())
