"""The process that places orders beside one that serves the API (docs/decisions/0023)."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import structlog

from panelry import settings as panelry_settings
from panelry.api import beside
from panelry.api.batching import steady
from panelry.api.calls import place_set
from panelry.database.pool import Pool
from panelry.ops import logs
from panelry.ops.running import collect_seldom

log = structlog.get_logger()


def start(data: Path, descriptor: int) -> subprocess.Popen[bytes]:
    """Start the process on the database that this one uses; it ends when the other end of the socket is closed."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(data), str(descriptor)],
        env=panelry_settings.child_environment(),
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches us alone
    )
    log.info("part_started", part="place", pid=process.pid)
    return process


def main() -> None:
    """Place the sets that come over a socket; the arguments are the data directory and the socket's descriptor."""
    data, descriptor = sys.argv[1:]
    settings = panelry_settings.load(data=Path(data))
    logs.configure(settings)
    assert settings.database_url is not None
    pool = Pool(settings.database_url, size=1, prepare=settings.prepare, name="panelry place")
    collect_seldom()
    beside.serve(int(descriptor), steady(partial(place_set, pool), pool.check))
    pool.close()


if __name__ == "__main__":
    main()
