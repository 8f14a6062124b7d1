"""The processes of one embedded PostgreSQL server: making its cluster, starting it, finding and signalling it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from panelry import clock
from panelry.database import installation
from panelry.database.installation import ClusterError, Home, binaries, open_private

ROLE: Final = "panelry"
LOG: Final = "postgres.log"
SOCKET: Final = ".s.PGSQL.5432"
SOCKET_NOTE: Final = "postgres.socket"  # where the socket stands, if not in the cluster

START_SECONDS: Final = 600.0  # recovery after a crash may have much to read
LOG_BYTES: Final = 10_000_000
SOCKET_PATH_BYTES: Final = 100  # Linux allows 107, macOS 103
PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/._-]+")  # needs no quoting, neither in a URL nor in a setting
ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

# Written to postgresql.conf when the cluster is made; from then on the operator's to change.
TUNING: Final = {
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # many short transactions, and containers have little /dev/shm
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# Given on the command line at each start, because safety rests on them.
FIXED: Final = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "logging_collector": "off",
    "log_destination": "stderr",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
}

_children: list[subprocess.Popen[bytes]] = []


class Died(ClusterError):
    """The server ended before it was ready."""


def launch(home: Home, lock: int) -> None:
    """Start the server, which inherits `lock`, and wait until it accepts connections.

    Whoever calls this holds `lock` alone, so no process of this cluster lives and its remains may go. Raises `Died`.
    """
    if not (home.cluster / "PG_VERSION").exists():
        _initialise(home, lock)
    folder = _socket_folder(home)
    for remains in (home.cluster / "postmaster.pid", folder / SOCKET, folder / f"{SOCKET}.lock"):
        remains.unlink(missing_ok=True)
    trim_log(home.data)
    command = [str(binaries() / "postgres"), "-D", str(home.cluster), "-k", str(folder)]
    command += [f"--{name}={value}" for name, value in FIXED.items()]
    log = open_private(home.data / LOG, os.O_APPEND)
    try:
        child = _popen(home, command, log, lock)
    finally:
        os.close(log)
    _children.append(child)
    deadline = clock.monotonic() + START_SECONDS
    while not accepts(home.cluster):
        if child.poll() is not None:
            raise Died(f"PostgreSQL does not start on {home.cluster}.{last_words(home.data)}")
        if clock.monotonic() > deadline:
            raise ClusterError(f"PostgreSQL is not ready after {START_SECONDS:.0f} s.{last_words(home.data)}")
        time.sleep(0.005)


def accepts(cluster: Path) -> bool:
    """Return whether a live server of exactly this cluster is ready; a copied `postmaster.pid` does not count."""
    lines = _pid_lines(cluster)
    if len(lines) < 8 or lines[1] != str(cluster) or lines[7].strip() != "ready":
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)
        try:
            probe.connect(f"{lines[4]}/.s.PGSQL.{lines[3]}")
        except BlockingIOError:
            return True  # a full queue is a sign of life
        except OSError:
            return False
    return True


def url(cluster: Path, database: str) -> str:
    """Return the URL for connecting as superuser. Raises `ConnectionError` if the server has just stopped."""
    lines = _pid_lines(cluster)
    if len(lines) < 5:
        raise ConnectionError(f"no server on {cluster}")
    return f"postgresql://{ROLE}@/{database}?host={lines[4]}&port={lines[3]}"


def leader(cluster: Path) -> int | None:
    """Return the pid that `postmaster.pid` names, dead or alive."""
    lines = _pid_lines(cluster)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def members(cluster: Path) -> set[int]:
    """Return the processes of the cluster, which all stand in its folder; a zombie stands nowhere."""
    if not Path("/proc/self/cwd").exists():
        return _members_by_name(cluster)
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == cluster and (process / "comm").read_text() == "postgres\n":
                found.add(int(process.name))
    return found


def orphaned(cluster: Path, processes: set[int]) -> bool:
    """Return whether `processes` are backends that outlived their killed postmaster."""
    pid = leader(cluster)
    return bool(processes) and pid is not None and pid not in processes


def send(processes: Iterable[int | None], kind: signal.Signals) -> None:
    """Send a signal to those of `processes` that still live."""
    for pid in processes:
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, kind)


def reap() -> None:
    """Take notice of our children that have ended, so that they do not stay as zombies."""
    _children[:] = [child for child in _children if child.poll() is None]


def trim_log(data: Path) -> None:
    """Keep the log and one former part of it, each bounded. The server appends, so it goes on at the beginning."""
    with suppress(FileNotFoundError):
        if (data / LOG).stat().st_size > LOG_BYTES:
            with os.fdopen(open_private(data / LOG), "rb+") as log:
                with os.fdopen(open_private(data / f"{LOG}.1", os.O_TRUNC), "wb") as former:
                    shutil.copyfileobj(log, former)
                log.truncate(0)


def last_words(data: Path) -> str:
    """Return the end of the server's log, for an error message."""
    return _last_lines(_read(data / LOG)[-10_000:])


def remove_socket_folder(data: Path) -> None:
    """Remove the folder outside the cluster where the socket stood, if there is one."""
    folder = Path(os.fsdecode(_read(data / SOCKET_NOTE)))
    with suppress(OSError):
        if folder.name.startswith("panelry-"):
            folder.rmdir()


def _initialise(home: Home, lock: int) -> None:
    """Make the cluster in a folder beside its place and move it there when it is complete."""
    unfinished = home.unfinished
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    home.give(unfinished)
    command = [str(binaries() / "initdb"), "-D", str(unfinished), f"--username={ROLE}", "--encoding=UTF8"]
    command += ["--locale=C.UTF-8", "--locale-provider=builtin", "--data-checksums", "--no-instructions"]
    command += ["--auth-local=trust", "--auth-host=reject"]  # the folder of the socket lets nobody else in
    command += [f"--set={name}={value}" for name, value in TUNING.items()]
    with tempfile.TemporaryFile() as output:
        if _popen(home, command, output.fileno(), lock).wait() != 0:
            output.seek(0)
            said = _last_lines(output.read())
            shutil.rmtree(unfinished, ignore_errors=True)
            raise ClusterError(
                f"PostgreSQL cannot make a cluster in {home.cluster} (is the disk full?).{said}"
            )
    unfinished.rename(home.cluster)
    installation.link(home)


def _popen(home: Home, command: list[str], output: int, lock: int) -> subprocess.Popen[bytes]:
    """Start a process of the server's account in a session of its own, which Ctrl-C does not reach."""
    account = home.account
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",
        env=ENVIRONMENT,
        start_new_session=True,
        pass_fds=(lock,),
        umask=0o077,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def _socket_folder(home: Home) -> Path:
    """Return a folder of mode 0700 for the socket: the cluster, or a short one that stays the same over restarts."""
    if PLAIN_PATH.fullmatch(str(home.cluster)) and len(f"{home.cluster}/{SOCKET}") <= SOCKET_PATH_BYTES:
        return home.cluster
    note = home.data / SOCKET_NOTE
    folder = Path(os.fsdecode(_read(note)))
    if folder.name.startswith("panelry-"):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            home.give(folder)
        found = folder.lstat()
        if found.st_uid == home.uid and found.st_mode == 0o040700:
            return folder
    folder = Path(tempfile.mkdtemp(prefix="panelry-", dir="/tmp"))  # TMPDIR may be long
    home.give(folder)
    with os.fdopen(open_private(note, os.O_TRUNC), "wb") as file:
        file.write(os.fsencode(folder))
    return folder


def _pid_lines(cluster: Path) -> list[str]:
    """Return postmaster.pid: pid, cluster, start time, port, socket folder, addresses, shared memory, status."""
    return os.fsdecode(_read(cluster / "postmaster.pid")).splitlines()


def _members_by_name(cluster: Path) -> set[int]:
    """Return the postmaster at least, where there is no /proc."""
    table = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, check=True).stdout
    lines = [os.fsdecode(line).strip() for line in table.splitlines()]
    return {int(line.split()[0]) for line in lines if f"/postgres -D {cluster} " in line}


def _last_lines(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()[-8:]
    return " Its last words:\n  " + "\n  ".join(lines) if lines else ""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
