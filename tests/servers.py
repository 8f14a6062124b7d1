"""The PostgreSQL servers that tests run on."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from panelry.database.embedded import cluster


def on(server: str, database: str) -> str:
    """Return the address of one database of a server."""
    return make_conninfo(server, dbname=database)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that every user of the machine can enter, and remove it afterwards."""
    path = Path(tempfile.mkdtemp(prefix="panelry-test-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running(which: str, data: Path) -> Iterator[str]:
    """Run a server: `embedded`, or the version of it that Debian has installed."""
    if which == "embedded":
        with cluster(data) as url:
            yield url
    else:
        with _debian(Path(f"/usr/lib/postgresql/{which}/bin"), data / "debian") as url:
            yield url


@contextmanager
def _debian(binaries: Path, data: Path) -> Iterator[str]:
    data.mkdir()
    user: dict[str, str] = {}
    if os.geteuid() == 0:
        user = {"user": "postgres", "group": "postgres"}
        os.chown(data, pwd.getpwnam("postgres").pw_uid, -1)
    place = data / "cluster"
    subprocess.run(
        [binaries / "initdb", "-D", place, "-A", "trust", "-U", "panelry", "--locale=C.UTF-8", "-E", "UTF8"],
        check=True, stdout=subprocess.DEVNULL, cwd="/", **user,
    )  # fmt: skip
    port = free_port()
    server = subprocess.Popen(
        [binaries / "postgres", "-D", place, "-k", data, "-p", str(port), "-c", "listen_addresses="],
        stdout=subprocess.DEVNULL, stderr=(data.parent / "debian.log").open("w"), cwd="/", **user,
    )  # fmt: skip
    try:
        ready = [binaries / "pg_isready", "-h", data, "-p", str(port), "-t", "30"]
        for _ in range(100):
            if subprocess.run(ready, check=False, stdout=subprocess.DEVNULL).returncode == 0:
                break
        yield make_conninfo("", host=str(data), port=port, user="panelry", dbname="postgres")
    finally:
        server.send_signal(2)  # SIGINT: fast shutdown
        server.wait(30)


def free_port() -> int:
    """Return a TCP port on which nobody listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
