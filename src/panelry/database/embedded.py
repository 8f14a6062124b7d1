"""The embedded PostgreSQL: started by the first program that needs it, stopped by the last one to leave.

Who uses and who runs the server is known by `flock` alone, which a kill -9 releases by itself:

- `postgres.lock` is held shared by each program using the cluster. Who can hold it alone is the last one.
- `postgres.starting.lock` is held by whoever starts or stops the server.
- `postgres.server.lock` is inherited by the server and all its children. Who can take it knows that no process of
  the cluster is left, be it an orphaned backend or in another container; `postmaster.pid` knows less.
"""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg

from panelry import clock
from panelry.database import installation, postmaster
from panelry.database.installation import ClusterError, Home, binaries, open_private

__all__ = ["ClusterError", "alive", "binaries", "cluster", "revive"]

USERS_LOCK: Final = "postgres.lock"
STARTING_LOCK: Final = "postgres.starting.lock"
SERVER_LOCK: Final = "postgres.server.lock"

ORPHANS_SECONDS: Final = 5.0
LAUNCHES: Final = 3
STOP: Final = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


@contextmanager
def cluster(data: Path) -> Iterator[str]:
    """Run or join the server of `data` and yield the URL of the database `panelry`, as its superuser.

    The URL stays valid over `revive`. A forked child must not leave this block; a spawned one may open its own.
    Raises `ClusterError`.
    """
    pid = os.getpid()
    with _readable(data):
        data = installation.data_directory(data)
        holder, url = _join(data)
    try:
        yield url
    finally:
        if os.getpid() == pid:
            with _readable(data), _locked(data):
                _part(data, holder)


def alive(data: Path) -> bool:
    """Return whether the server of `data` accepts connections. Cheap, and needs no lock."""
    return postmaster.accepts((data / "postgres").resolve())


def revive(data: Path) -> None:
    """Start the server of `data` again if it died. Called inside `cluster(data)`, as often as you like.

    Raises `ClusterError`.
    """
    with _readable(data):
        data = data.resolve()
        postmaster.trim_log(data)
        if not alive(data):
            with _locked(data):
                _ensure(installation.find(data))


def _join(data: Path) -> tuple[int, str]:
    """Return the lock that counts us among the users, and the URL."""
    with _locked(data):
        home = installation.find(data)
        holder = open_private(data / USERS_LOCK)
        fcntl.flock(holder, fcntl.LOCK_SH)
        try:
            return holder, _url(home)
        except BaseException:
            _part(data, holder)
            raise


def _url(home: Home) -> str:
    """Have the server run and its database exist. What accepted us a moment ago may have been dying: try again."""
    for tries_left in (2, 1, 0):
        _ensure(home)
        try:
            return _with_database(home.cluster)
        except (psycopg.Error, ConnectionError) as error:
            if not tries_left:
                raise ClusterError(
                    f"PostgreSQL runs on {home.cluster}, but does not let us in: {error}"
                ) from error
        time.sleep(0.2)
    raise AssertionError


def _part(data: Path, holder: int) -> None:
    """Leave; the last one stops the server. To be called under the starting lock."""
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # somebody else stays
    else:
        _stop(data)
    finally:
        os.close(holder)


def _ensure(home: Home) -> None:
    """Have the server accept connections: wait for one that is coming up, clear away the remains of a dead one."""
    postmaster.reap()
    began = clock.monotonic()
    launches_left = LAUNCHES
    while not postmaster.accepts(home.cluster):
        waited = clock.monotonic() - began
        members = postmaster.members(home.cluster)
        lock = None if members else _try_exclusive(home.data / SERVER_LOCK)
        if lock is not None:
            launches_left -= 1
            try:
                postmaster.launch(home, lock)
            except postmaster.Died:  # it may have been killed, like the one before it
                if not launches_left:
                    raise
            finally:
                os.close(lock)
            continue
        if postmaster.orphaned(home.cluster, members):
            postmaster.send(members, signal.SIGQUIT if waited < ORPHANS_SECONDS else signal.SIGKILL)
        if waited > postmaster.START_SECONDS:
            raise ClusterError(
                f"Processes {sorted(members) or '(of another container?)'} hold {home.cluster} and do not answer. "
                f"Stop them and try again.{postmaster.last_words(home.data)}"
            )
        time.sleep(0.02)


def _stop(data: Path) -> None:
    """Stop the server and wait until all its processes are gone; harder if it takes too long."""
    home = (data / "postgres").resolve()

    def gone() -> bool:
        postmaster.reap()
        lock = _try_exclusive(data / SERVER_LOCK)
        if lock is not None:
            os.close(lock)
        return lock is not None and not postmaster.members(home)

    for kind, seconds in STOP:
        members = postmaster.members(home)
        leader = {postmaster.leader(home)} & members
        postmaster.send(leader if leader and kind != signal.SIGKILL else members, kind)
        if _until(gone, seconds):
            break
    postmaster.remove_socket_folder(data)


def _with_database(home: Path) -> str:
    """Return the URL of the database `panelry`, made if it is missing."""
    with psycopg.connect(postmaster.url(home, "postgres"), autocommit=True) as conn:
        if not conn.execute("SELECT 1 FROM pg_database WHERE datname = 'panelry'").fetchone():
            conn.execute("CREATE DATABASE panelry")
    return postmaster.url(home, "panelry")


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = clock.monotonic() + seconds
    while not (met := condition()) and clock.monotonic() < deadline:
        time.sleep(0.01)
    return met


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Hold the starting lock. What its holders do is bounded, so we wait as long as it takes."""
    handle = open_private(data / STARTING_LOCK)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _try_exclusive(path: Path) -> int | None:
    handle = open_private(path)
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return handle
    os.close(handle)
    return None


@contextmanager
def _readable(data: Path) -> Iterator[None]:
    """Turn what the operating system refuses into words."""
    try:
        yield
    except OSError as error:
        me = installation.name_of(os.geteuid())
        owner = installation.name_of(data.stat().st_uid) if os.access(data, os.F_OK) else me
        hint = (
            f"Run this as {owner}, to whom it belongs"
            if owner != me
            else f"Make sure that {me} may write there"
        )
        raise ClusterError(
            f"Cannot keep PostgreSQL in {data}: {error.strerror or error} ({error.filename or data}). "
            f"{hint} and that the disk has space, or choose another --data."
        ) from error
