"""Processes that serve the API know of each other, and one that must be alone is."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from panelry import clock
from panelry.database import presence
from panelry.database.pool import Pool
from panelry.database.presence import Process
from panelry.domain import ids
from panelry.ops.presence import Presence, machine
from panelry.ops.session import CommandFailed
from panelry.settings import Settings

ELSEWHERE = "another.example.com"


@pytest.fixture
def alone(settings: Settings, fresh_database: str) -> Settings:
    return replace(settings, database_url=fresh_database, limits=True)


@pytest.fixture
def together(alone: Settings) -> Settings:
    return replace(alone, valkey_url="valkey://127.0.0.1/")


def there_was(pool: Pool, *, machine: str, pid: int) -> Process:
    """Let a process have been seen just now."""
    process = Process(id=ids.new(), machine=machine, pid=pid)
    with pool.transaction() as conn:
        presence.beat(conn, process)
    return process


@contextmanager
def beating(pool: Pool, process: Process) -> Iterator[None]:
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.5):
            with pool.transaction() as conn:
                presence.beat(conn, process)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def rows(pool: Pool) -> int:
    with pool.transaction() as conn:
        [[count]] = conn.execute("SELECT count(*) FROM api_processes").fetchall()
    return int(count)


def ended_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_second_one_that_must_be_alone_is_refused_with_the_reason(
    alone: Settings, fresh_pool: Pool
) -> None:
    began = clock.monotonic()
    other = there_was(fresh_pool, machine=ELSEWHERE, pid=4711)
    with beating(fresh_pool, other), pytest.raises(CommandFailed) as refused, Presence(alone):
        pass
    assert clock.monotonic() - began < 8
    assert "PANELRY_VALKEY_URL" in str(refused.value)
    assert f"pid 4711 on {ELSEWHERE}" in str(refused.value)


def test_looking_tells_the_same_and_leaves_nothing(alone: Settings, fresh_pool: Pool) -> None:
    Presence(alone).check()
    assert rows(fresh_pool) == 0
    other = there_was(fresh_pool, machine=ELSEWHERE, pid=1)
    with beating(fresh_pool, other), pytest.raises(CommandFailed, match="PANELRY_VALKEY_URL"):
        Presence(alone).check()
    assert rows(fresh_pool) == 1


@pytest.mark.parametrize("pid", [None, os.getpid()], ids=["ended", "our own"])
def test_one_that_was_killed_on_this_machine_is_in_nobodys_way(
    alone: Settings, fresh_pool: Pool, pid: int | None
) -> None:
    there_was(fresh_pool, machine=machine(), pid=pid or ended_pid())
    began = clock.monotonic()
    with Presence(alone):
        assert clock.monotonic() - began < 1
        assert rows(fresh_pool) == 1
    assert rows(fresh_pool) == 0


def test_one_that_fell_silent_elsewhere_is_waited_for(alone: Settings, fresh_pool: Pool) -> None:
    there_was(fresh_pool, machine=ELSEWHERE, pid=1)
    began = clock.monotonic()
    with Presence(alone):
        assert 8 < clock.monotonic() - began < 12


def test_of_two_that_start_at_once_one_is_alone(alone: Settings, fresh_pool: Pool) -> None:
    """Two machines, so that neither can look whether the other lives."""
    gate = threading.Barrier(4)

    def start(number: int) -> bool:
        one = Presence(alone)
        one._me = replace(one._me, machine=f"{number}.example.com")
        gate.wait()
        try:
            with one:
                over.wait(30)
        except CommandFailed:
            return False
        return True

    over = threading.Event()
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(start, number) for number in range(4)]
        while sum(one.done() for one in asked) < 3:
            over.wait(0.1)
        over.set()
    assert sorted(one.result() for one in asked) == [False, False, False, True]


def test_those_who_count_together_are_all_let_in_and_know_how_many_they_are(
    together: Settings, fresh_pool: Pool
) -> None:
    there_was(fresh_pool, machine=ELSEWHERE, pid=1)
    third = Presence(together)
    third._me = replace(third._me, machine="third.example.com")  # one process cannot be two of them
    with Presence(together) as second, third:
        assert (second.count(), third.count()) == (2, 3)
        until = clock.monotonic() + 5
        while second.count() < 3:
            assert clock.monotonic() < until
            threading.Event().wait(0.1)
    assert rows(fresh_pool) == 1


def test_without_limits_nobody_must_be_alone(alone: Settings, fresh_pool: Pool) -> None:
    there_was(fresh_pool, machine=ELSEWHERE, pid=1)
    with Presence(replace(alone, limits=False)) as one:
        assert one.count() == 2


def test_one_that_was_taken_for_dead_comes_back_with_its_next_beat(
    together: Settings, fresh_pool: Pool
) -> None:
    with Presence(together):
        with fresh_pool.transaction() as conn:
            conn.execute("DELETE FROM api_processes")
        until = clock.monotonic() + 5
        while rows(fresh_pool) == 0:
            assert clock.monotonic() < until
            threading.Event().wait(0.1)
