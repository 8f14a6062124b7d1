"""What happened to whom: one row of a subject's timeline."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from panelry.domain.accounts import AccountId


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """One change of one subject: an order, a refill, an endpoint's test, or an account's balance.

    `sequence` counts the subject's events from 1 without gaps (a balance's is the version of the wallet); the database
    refuses a second one with the same number, so two changes of one subject can never both be first. `data` holds what
    a reader of the change needs: `from`, `to`, counts; all that endpoints are told is rendered from it.
    """

    id: UUID
    account_id: AccountId
    subject: UUID
    sequence: int
    type: str
    data: Mapping[str, str | int | None]
    actor: str
    at: datetime
