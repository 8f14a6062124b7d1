"""What the database tells about the work of the whole panel; every process reads the same."""

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg
import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from panelry import clock
from panelry.database import health
from panelry.database.pool import Conn, Pool
from panelry.database.statements import Statements

SQL: Final = Statements.beside(__file__)
FRESH_SECONDS: Final = 5.0
MICROS: Final = 1_000_000
log = structlog.get_logger()


class Readings(Collector):
    """Reads when asked, at most every five seconds, however many ask."""

    def __init__(self, pool: Pool) -> None:
        """Read through this pool."""
        self._pool = pool
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._read: Sequence[Metric] = ()

    def describe(self) -> Iterable[Metric]:
        """Promise no names before the database was asked."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Return what was read; without a database only that there is none."""
        with self._lock:
            if clock.monotonic() - self._read_at > FRESH_SECONDS:
                self._read = self._look()
                self._read_at = clock.monotonic()
            return self._read

    def _look(self) -> Sequence[Metric]:
        for _ in range(2):
            try:
                with self._pool.transaction() as conn:
                    return [_gauge("panelry_database_up", UP, [((), 1.0)]), *_all(conn)]
            except psycopg.Error as error:
                log.warning("metrics_not_read", error=repr(error))
                self._pool.check()  # it may have been an old connection to a server that is back
        return [_gauge("panelry_database_up", UP, [((), 0.0)])]


def overdue(conn: Conn) -> dict[str, float]:
    """Return for each kind of work for how many seconds its oldest due piece has waited; 0 where none waits."""
    return dict(SQL["overdue"](conn).fetchall())


UP: Final = "1 where the database answers; without it nothing below is told."
Samples = Iterable[tuple[Sequence[str], float]]


def _gauge(name: str, text: str, samples: Samples, labels: Sequence[str] = ()) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=labels)
    for values, number in samples:
        gauge.add_metric(values, number)
    return gauge


def _all(conn: Conn) -> list[Metric]:
    age = health.engine_age(conn)
    engine: Samples = [] if age is None else [((), age)]
    return [
        _gauge("panelry_engine_age_seconds", "Seconds since an engine was last seen alive.", engine),
        _gauge(
            "panelry_overdue_seconds",
            "For how long the oldest due work of a kind has waited to be taken up; 0 where none waits.",
            [((kind,), seconds) for kind, seconds in overdue(conn).items()],
            ["work"],
        ),
        *_unknown(conn),
        *_providers(SQL["providers"](conn).fetchall()),
        *_deliveries(conn),
        *_letters(conn),
    ]


def _unknown(conn: Conn) -> Iterable[Metric]:
    [unknown, quarantined] = SQL["unknown"](conn).fetchall()[0]
    text = "Submissions of which nobody knows whether they were bought; quarantined ones wait for a person."
    yield _gauge(
        "panelry_submissions", text, [(("unknown",), unknown), (("quarantined",), quarantined)], ["state"]
    )


def _providers(rows: Sequence[tuple[Any, ...]]) -> Iterable[Metric]:
    """`balance` is in the provider's own currency."""
    yield _gauge(
        "panelry_provider_active",
        "1 where orders may go to a provider, 0 where it is paused.",
        [((name,), is_active) for name, is_active, _, _ in rows],
        ["provider"],
    )
    yield _gauge(
        "panelry_provider_broken",
        "1 while most calls to a provider fail, and orders go around it.",
        [((name,), is_broken) for name, _, is_broken, _ in rows],
        ["provider"],
    )
    yield _gauge(
        "panelry_provider_balance",
        "What we have at a provider, in its currency, as last read.",
        [((name,), micros / MICROS) for name, _, _, micros in rows if micros is not None],
        ["provider"],
    )


def _deliveries(conn: Conn) -> Iterable[Metric]:
    [waiting, oldest, failing] = SQL["deliveries"](conn).fetchall()[0]
    yield _gauge("panelry_deliveries_waiting", "Deliveries that have not ended.", [((), waiting)])
    yield _gauge(
        "panelry_deliveries_oldest_seconds", "How long the oldest of them has waited.", [((), oldest)]
    )
    yield _gauge(
        "panelry_endpoints_failing",
        "Active endpoints whose last attempts failed.",
        [((), failing)],
    )


def _letters(conn: Conn) -> Iterable[Metric]:
    [waiting, oldest] = SQL["letters"](conn).fetchall()[0]
    yield _gauge("panelry_letters_waiting", "Letters that wait for the mail server.", [((), waiting)])
    yield _gauge("panelry_letters_oldest_seconds", "How long the oldest of them has waited.", [((), oldest)])
