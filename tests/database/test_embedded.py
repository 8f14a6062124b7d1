"""The embedded PostgreSQL is there while a program needs it, and gone afterwards, whatever is killed in between."""

import os
import shutil
import signal
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
from programs import assert_stopped, needs_proc, program, read, server_of, state_of, until, write

from panelry.database import embedded, postmaster


def test_a_first_start_makes_a_private_cluster_with_its_database(folder: Path) -> None:
    data = folder / "data"
    with embedded.cluster(data) as url, psycopg.connect(url) as conn:
        row = conn.execute("SELECT current_user, current_database(), usesuper FROM pg_user").fetchone()
        assert row == ("panelry", "panelry", True)
        settings: dict[str, str] = dict(conn.execute("SELECT name, setting FROM pg_settings").fetchall())
        assert settings["data_checksums"] == settings["fsync"] == settings["full_page_writes"] == "on"
        assert settings["server_encoding"] == "UTF8"
        assert settings["TimeZone"] == "UTC"
        assert settings["listen_addresses"] == ""
        assert settings["unix_socket_permissions"] == "0700"
        assert (data / "postgres").stat().st_mode & 0o777 == 0o700
        assert embedded.alive(data)
    assert_stopped(data)


def test_what_was_committed_is_there_after_a_stop(folder: Path) -> None:
    with embedded.cluster(folder) as url:
        write(url, 1)
    assert_stopped(folder)
    with embedded.cluster(folder) as url:
        assert read(url) == [1]


def test_a_second_program_joins_and_the_last_to_leave_stops_the_server(data: Path) -> None:
    with program(data) as first, program(data) as second:
        url = first.said()
        server = server_of(data)
        assert second.said() == url
        assert server_of(data) == server
        first.leave()
        assert embedded.alive(data)
        write(url, 2)
        second.leave()
        assert_stopped(data)


def test_two_parts_of_one_program_are_two_users(data: Path) -> None:
    with embedded.cluster(data) as url:
        with embedded.cluster(data) as same:
            assert same == url
        assert embedded.alive(data)
    assert_stopped(data)


def test_four_programs_starting_at_once_share_one_cluster(folder: Path) -> None:
    with ExitStack() as stack:
        programs = [stack.enter_context(program(folder / "data")) for _ in range(4)]
        urls = {one.said() for one in programs}
        assert len(urls) == 1
        assert urls.pop().startswith("postgresql://")
        for one in programs:
            one.leave()
    assert_stopped(folder / "data")


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(data: Path) -> None:
    with embedded.cluster(data):
        assert os.getsid(server_of(data)) == server_of(data)
        assert os.getsid(server_of(data)) != os.getsid(0)


def test_the_server_holds_no_lock_of_its_users(data: Path) -> None:
    with program(data) as one:
        one.said()
        one.kill()
        assert embedded.alive(data)
        lock = embedded._try_exclusive(data / embedded.USERS_LOCK)
        assert lock is not None
        os.close(lock)
        assert embedded._try_exclusive(data / embedded.SERVER_LOCK) is None


def test_a_killed_server_is_revived_with_all_that_was_committed(data: Path) -> None:
    with embedded.cluster(data) as url:
        write(url, 3)
        killed = server_of(data)
        os.kill(killed, signal.SIGKILL)
        until(lambda: not embedded.alive(data))
        embedded.revive(data)
        embedded.revive(data)
        assert server_of(data) != killed
        assert read(url) == [3]
    assert_stopped(data)


@needs_proc
def test_a_server_that_is_a_zombie_is_dead(data: Path) -> None:
    with program(data) as parent:
        url = parent.said()
        write(url, 4)
        with embedded.cluster(data):
            killed = server_of(data)
            os.kill(killed, signal.SIGKILL)  # its parent sleeps and does not take notice
            until(lambda: state_of(killed) == "Z")
            embedded.revive(data)
            assert state_of(killed) == "Z"
            assert read(url) == [4]
        parent.leave()
    assert_stopped(data)


@needs_proc
def test_a_backend_that_outlives_its_killed_server_is_cleared_away(data: Path) -> None:
    with embedded.cluster(data) as url, closing(psycopg.connect(url, autocommit=True)) as conn:
        write(url, 5)
        backend = conn.info.backend_pid
        conn.pgconn.send_query(b"DO $$ BEGIN LOOP NULL; END LOOP; END $$")
        until(lambda: state_of(backend) == "R")
        os.kill(server_of(data), signal.SIGKILL)
        until(lambda: not embedded.alive(data))
        assert state_of(backend) == "R"
        embedded.revive(data)
        assert backend not in postmaster.members((data / "postgres").resolve())
        assert read(url) == [5]


def test_after_all_users_were_killed_the_next_one_joins_and_stops_the_server(data: Path) -> None:
    with program(data) as first, program(data) as second:
        write(first.said(), 6)
        second.said()
        first.kill()
        second.kill()
    server = server_of(data)
    assert embedded.alive(data)
    with embedded.cluster(data) as url:
        assert server_of(data) == server
        assert read(url) == [6]
    assert_stopped(data)


def test_after_everything_was_killed_the_next_start_recovers(data: Path) -> None:
    with program(data) as one:
        write(one.said(), 7)
        one.kill()
        postmaster.send(postmaster.members((data / "postgres").resolve()), signal.SIGKILL)
    assert (data / "postgres" / "postmaster.pid").exists()
    with embedded.cluster(data) as url:
        assert read(url) == [7]
    assert_stopped(data)


def test_a_stale_pid_file_naming_a_living_stranger_is_no_obstacle(data: Path) -> None:
    with embedded.cluster(data) as url:
        write(url, 8)
        lines = (data / "postgres" / "postmaster.pid").read_text().splitlines()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        stale = data / "postgres" / "postmaster.pid"
        stale.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert not embedded.alive(data)
        with embedded.cluster(data) as url:
            assert read(url) == [8]
        assert stranger.poll() is None
        stranger.kill()


def test_an_interrupted_initdb_leaves_nothing_in_the_way(folder: Path) -> None:
    with program(folder) as one:
        until((folder / "postgres.new" / "base").exists)
        one.kill()
    assert not (folder / "postgres").exists()
    with embedded.cluster(folder) as url:
        write(url, 9)
    assert not (folder / "postgres.new").exists()


@pytest.mark.parametrize(
    "name", ["with spaces, 'quotes' and ünïcode ✓", "long/" + "x" * 120], ids=["odd", "long"]
)
def test_the_data_directory_may_have_any_name(folder: Path, name: str) -> None:
    data = folder / name
    with embedded.cluster(data) as url:
        write(url, 10)
        socket_folder = Path(url.partition("host=")[2].partition("&")[0])
        assert socket_folder.stat().st_mode & 0o777 == 0o700
        os.kill(server_of(data), signal.SIGKILL)
        until(lambda: not embedded.alive(data))
        embedded.revive(data)
        assert read(url) == [10]
    assert_stopped(data)
    assert not socket_folder.exists()
    with embedded.cluster(data) as url:
        assert read(url) == [10]


def test_a_copied_data_directory_never_joins_the_original(folder: Path) -> None:
    with embedded.cluster(folder / "original") as url:
        write(url, 11)
        shutil.copytree(folder / "original", folder / "copy", ignore=shutil.ignore_patterns(".s.*"))
        assert not embedded.alive(folder / "copy")


def test_the_log_is_bounded(data: Path) -> None:
    with embedded.cluster(data):
        log = data / postmaster.LOG
        with log.open("ab") as file:
            file.truncate(postmaster.LOG_BYTES + 1)
        embedded.revive(data)
        assert log.stat().st_size == 0
        assert (data / "postgres.log.1").stat().st_size == postmaster.LOG_BYTES + 1
