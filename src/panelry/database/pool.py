"""Connections for the doors that have no Django: a pool of transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection
from psycopg_pool import ConnectionPool

Conn = Connection[Any]


class Pool:
    """A bounded set of connections to one database.

    Every fault of the connection, a time-out while waiting for one included, is a `psycopg.OperationalError`.
    """

    def __init__(self, url: str, *, size: int, prepare: bool = True, name: str = "panelry") -> None:
        """Open up to `size` connections as they are needed; `prepare=False` suits a PgBouncer before 1.21."""
        threshold = 2 if prepare else None
        self._pool: ConnectionPool[Conn] = ConnectionPool(
            url,
            min_size=1,
            max_size=size,
            timeout=5.0,
            max_idle=600.0,
            reconnect_timeout=1.0,
            name=name,
            open=True,
            kwargs={"autocommit": True, "prepare_threshold": threshold, "application_name": name},
        )

    @contextmanager
    def transaction(self) -> Iterator[Conn]:
        """Lend a connection inside a transaction: committed at the end, rolled back on any exception."""
        with self._pool.connection() as conn, conn.transaction():
            yield conn

    @contextmanager
    def connection(self) -> Iterator[Conn]:
        """Lend a connection in autocommit, for what needs a transaction of another kind."""
        with self._pool.connection() as conn:
            yield conn

    def check(self) -> None:
        """Throw away connections that the server has dropped, so that the next ones are fresh."""
        self._pool.check()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


@contextmanager
def lent(connection: Any) -> Iterator[Conn]:
    """Lend a Django view's own psycopg connection, so that page and operation write in one transaction.

    `connection` is `django.db.connection` inside `atomic()`.
    """
    assert connection.in_atomic_block, "lend a connection only inside atomic()"
    connection.ensure_connection()
    yield connection.connection
