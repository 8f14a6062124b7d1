"""The baseline: PostgreSQL's own TPC-B, on the same cluster with the same durability (pgbench's documentation)."""

import re
import subprocess
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from panelry.database import installation
from panelry.domain.refusals import PermanentFailure

SCALE: Final = 64
CLIENTS: Final = 32
THREADS: Final = 2
_DATABASE: Final = "pgbench"
_TPS: Final = re.compile(r"^tps = ([0-9.]+) ", re.MULTILINE)


class Baseline:
    """pgbench beside a benchmark: prepared once, run before and after it."""

    def __init__(self, url: str, *, scale: int = SCALE) -> None:
        """Fill tables on the server of `url`, in a database of their own."""
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {_DATABASE}".encode())
        parts = conninfo_to_dict(make_conninfo(url, dbname=_DATABASE))
        self._where = ["-h", str(parts["host"]), "-p", str(parts.get("port", 5432)), "-U", str(parts["user"])]
        self._rates: list[float] = []
        self._run("-i", "-q", "-s", str(scale))

    @property
    def per_second(self) -> float:
        """Return the mean of all runs, in transactions a second."""
        return sum(self._rates) / len(self._rates)

    def run(self, seconds: float) -> float:
        """Run the simple protocol with 32 clients in 2 threads; return transactions a second, of this run alone."""
        said = self._run(
            "-n", "-M", "simple", "-c", str(CLIENTS), "-j", str(THREADS), "-T", str(max(1, round(seconds)))
        )
        found = _TPS.search(said)
        if found is None:
            raise PermanentFailure(f"pgbench did not say how fast it was: {said[-300:]}")
        self._rates.append(float(found[1]))
        return self._rates[-1]

    def _run(self, *options: str) -> str:
        program = installation.binaries() / "pgbench"
        done = subprocess.run(
            [program, *self._where, *options, _DATABASE], capture_output=True, text=True, check=False, cwd="/"
        )
        if done.returncode:
            raise PermanentFailure(f"pgbench failed: {done.stderr[-500:]}")
        return done.stdout
