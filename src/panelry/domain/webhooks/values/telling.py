"""What an endpoint is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

WebhookId = NewType("WebhookId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event as it is read back for a delivery; it never changes, so every attempt has the same body.

    `request_id` is that of the order it is about, where it is about one.
    """

    event_id: UUID
    type: str
    subject: UUID
    sequence: int
    data: Mapping[str, str | int | None]
    at: datetime
    request_id: str | None = None
