"""Which processes serve the API: each says every two seconds that it is there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from panelry.database.pool import Conn
from panelry.database.statements import Statements

SQL: Final = Statements.beside(__file__)
BEAT_SECONDS: Final = 2.0
SILENCE: Final = timedelta(seconds=10)
"""Whoever was not seen for so long has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that serves the API; `machine` tells apart machines on which a pid means different processes."""

    id: UUID
    machine: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A process as it was seen last."""

    process: Process
    at: datetime


def others(conn: Conn, me: Process, *, has_ended: Callable[[Process], bool]) -> list[Seen]:
    """Return the other processes that may be alive; those that have ended are struck out.

    Whoever enters in the same transaction is seen by the next one that looks, also where both look at the same time.
    """
    SQL["lock_processes"](conn)
    seen = [
        Seen(process=Process(id=id_, machine=machine, pid=pid), at=at)
        for id_, machine, pid, at in SQL["other_processes"](conn, id=me.id, silence=SILENCE)
    ]
    ended = [one.process.id for one in seen if has_ended(one.process)]
    SQL["forget_processes"](conn, ids=ended, silence=SILENCE)
    return [one for one in seen if one.process.id not in ended]


def beat(conn: Conn, me: Process) -> int:
    """Say that this process is there; return how many are, this one included."""
    SQL["beat_process"](conn, id=me.id, machine=me.machine, pid=me.pid)
    return count(conn)


def count(conn: Conn) -> int:
    """Return how many processes serve the API, as they say themselves."""
    [[found]] = SQL["count_processes"](conn, silence=SILENCE).fetchall()
    return int(found)


def leave(conn: Conn, me: Process) -> None:
    """Be counted no longer."""
    SQL["forget_processes"](conn, ids=[me.id], silence=SILENCE)
