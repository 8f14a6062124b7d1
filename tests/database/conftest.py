"""Folders and stopped clusters for the tests of the embedded PostgreSQL."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from panelry.database import embedded, installation, postmaster


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
