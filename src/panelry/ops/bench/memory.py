"""How much memory processes took, as Linux counts it; where there is no /proc nothing is told."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from panelry.database import postmaster


def peaks(data: Path, pids: Mapping[str, int | None] | None = None) -> dict[str, int]:
    """Return megabytes: the most that this process and each named one ever had, and what PostgreSQL's have now.

    Those of the server of `data` share most of theirs, which counts once (Pss). What cannot be read is left out.
    """
    kilobytes = {
        "benchmark": _kilobytes(os.getpid(), "status", "VmHWM"),
        **{name: _kilobytes(pid, "status", "VmHWM") for name, pid in (pids or {}).items()},
        "postgresql": _sum(
            _kilobytes(pid, "smaps_rollup", "Pss")
            for pid in postmaster.members((data / "postgres").resolve())
        ),
    }
    return {name: round(size / 1024) for name, size in kilobytes.items() if size}


def child(pid: int) -> int | None:
    """Return the only child of a process, `None` where that cannot be said."""
    try:
        pids = (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return None
    return int(pids[0]) if len(pids) == 1 else None


def _kilobytes(pid: int | None, file: str, name: str) -> int | None:
    try:
        text = (Path("/proc") / str(pid) / file).read_text()
    except OSError:  # it has ended, is somebody else's, or this is no Linux
        return None
    found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) if found else None


def _sum(sizes: Iterable[int | None]) -> int:
    return sum(filter(None, sizes))
