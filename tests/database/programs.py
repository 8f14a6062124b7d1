"""Programs that use an embedded PostgreSQL, as real processes, and what can be seen of its server."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from panelry import clock
from panelry.database import embedded, postmaster

ROOT = os.geteuid() == 0
only_root = pytest.mark.skipif(not ROOT, reason="only root can act as several users")
needs_proc = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="reads /proc")

# Says the URL when it is in, and leaves when its input ends. It becomes another user only when it is loaded, because
# the interpreter may stand where only root can reach it.
PROGRAM = """
import os
import pwd
import sys
from pathlib import Path
from panelry.database import embedded
if len(sys.argv) > 2:
    entry = pwd.getpwnam(sys.argv[2])
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
try:
    with embedded.cluster(Path(sys.argv[1])) as url:
        print(url, flush=True)
        sys.stdin.read()
except embedded.ClusterError as error:
    print("error:", error, flush=True)
"""


class Program:
    """Another program that uses the cluster, as a real process."""

    def __init__(self, data: Path, *, user: str | None = None, path: Path | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(data), *([user] if user else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={"PYTHONPATH": os.pathsep.join(str(p) for p in (path, *sys.path) if p)},
        )

    def said(self) -> str:
        """Return its first line: the URL, or an error."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def leave(self) -> str:
        """Let it leave; return what else it said."""
        rest, _ = self.process.communicate(timeout=60)
        return rest

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def program(data: Path, *, user: str | None = None, path: Path | None = None) -> Iterator[Program]:
    one = Program(data, user=user, path=path)
    try:
        yield one
    finally:
        one.kill()


def server_of(data: Path) -> int:
    pid = postmaster.leader((data / "postgres").resolve())
    assert pid is not None
    return pid


def assert_stopped(data: Path) -> None:
    cluster = (data / "postgres").resolve()
    assert not embedded.alive(data)
    assert not postmaster.members(cluster)
    assert not (cluster / "postmaster.pid").exists()


def write(url: str, value: int) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS kept (value int)")
        conn.execute("INSERT INTO kept VALUES (%s)", [value])


def read(url: str) -> list[int]:
    with psycopg.connect(url) as conn:
        return [row[0] for row in conn.execute("SELECT value FROM kept ORDER BY 1")]


def until(condition: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + 20
    while not condition():
        assert clock.monotonic() < deadline
        time.sleep(0.005)


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
