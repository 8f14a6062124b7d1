"""Letters, and how sending them went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType
from uuid import UUID

LetterId = NewType("LetterId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter to write: the name of its template and what is filled in; of one `reference` there is only one."""

    recipient: str
    template: str
    data: Mapping[str, str | int | None]
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A letter that this engine sends now."""

    id: LetterId
    recipient: str
    template: str
    data: Mapping[str, str | int | None] = field(repr=False)
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How one attempt went: taken by the mail server, not now, or never."""

    sent: bool
    message: str = ""
    may_try_again: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Letters that wait, the oldest since `since`."""

    waiting: int
    since: datetime | None
