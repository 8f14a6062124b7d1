"""Deliveries: what is sent to an endpoint, and how each attempt went."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from panelry.domain.accounts import AccountId
from panelry.domain.webhooks.values.telling import Told, WebhookId


class DeliveryState(StrEnum):
    """Due, being sent by an engine until its lease ends, taken by the endpoint, or given up."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claimed:
    """An attempt to make now, once, before its lease ends.

    `number` counts all attempts of the delivery from 1; it tells this one from whichever follows it. `secrets` are those
    that sign, the current one first; none where they cannot be opened. `is_doubtful`: the endpoint failed last, or
    never took anything yet.
    """

    account_id: AccountId
    webhook_id: WebhookId
    number: int
    at: datetime
    told: Told
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    is_doubtful: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an attempt went: `status` is that of a whole answer, else `error` says why there is none.

    `response` is the beginning of what the endpoint answered, `retry_after` the header of that name.
    """

    took_milliseconds: int = 0
    status: int | None = None
    error: str = ""
    response: bytes = b""
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the endpoint took it: only an answer of 2xx says so."""
        return self.status is not None and 200 <= self.status < 300

    def __str__(self) -> str:
        return self.error if self.status is None else f"HTTP {self.status}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an endpoint did lately: `failing_since` its first failure after its last success."""

    failing_since: datetime | None = None
    last_attempt_at: datetime | None = None
    last_result: str = ""
    last_success_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of a delivery: it is due again at `due_at`, or over."""

    to: DeliveryState
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery as whoever asks what became of it sees it; `last_result` is that of the last of its attempts."""

    event_id: UUID
    type: str
    state: DeliveryState
    attempts: int
    last_result: str
    due_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
