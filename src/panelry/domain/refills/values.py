"""Refills, what providers are asked about them and answer, and why one is refused."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from panelry.domain.accounts import AccountId
from panelry.domain.orders import OrderId, OrderState
from panelry.domain.providers import ProviderId, RefillAnswer, RefillReport, RefillState, Report, RowError
from panelry.domain.refusals import Refusal

RefillId = NewType("RefillId", UUID)


class Question(StrEnum):
    """What a provider is asked about a refill next: to refill, how the refill is, or, where that has no name, the order."""

    REFILL = "refill"
    PROGRESS = "progress"
    ORDER = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A refill that somebody wants, under an id made beforehand: wanted again, it is still that one refill."""

    id: RefillId
    account_id: AccountId
    order_id: OrderId


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A locked order with all that decides whether it may be refilled, as it is now.

    `is_single`: neither a drip-feed, whose runs are refilled one by one, nor a subscription. `bought_at` says where it
    was bought and what it is called there. `refills` counts those that were not rejected; `known` are those of the
    refills wanted that exist already.
    """

    state: OrderState
    is_single: bool
    has_delivered: bool
    finished_at: datetime | None
    has_refill: bool
    refill_days: int
    refill_most: int
    bought_at: tuple[ProviderId, str] | None
    refills: int
    is_pending: bool
    known: frozenset[RefillId] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refill:
    """A refill as it stands, locked while it is decided about; `attempt` counts the answers in a row that were none."""

    id: RefillId
    account_id: AccountId
    order_id: OrderId
    state: RefillState
    upstream_id: str | None
    attempt: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """One question to ask; `upstream_id` is the provider's name for the refill, where it gave one."""

    id: RefillId
    account_id: AccountId
    provider_id: ProviderId
    question: Question
    upstream_order: str
    upstream_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAnswer:
    """The provider could not be asked, or did not answer the question; `text` is for staff."""

    text: str


Answer = RefillAnswer | RefillReport | Report | RowError | NoAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one refill in one step: it ends where `due_at` is `None`. `message` is for staff."""

    refill: Refill
    to: RefillState
    due_at: datetime | None
    upstream_id: str | None = None
    attempt: int = 0
    message: str = ""


class OrderNotEligible(Refusal):
    """It was refused because the order delivered nothing yet, or is a drip-feed as a whole, or a subscription."""


class RefillUnavailable(Refusal):
    """It was refused because the service is not refilled."""


class RefillPeriodExpired(Refusal):
    """It was refused because the order ended longer ago than its service is refilled."""


class RefillLimitReached(Refusal):
    """It was refused because the order was refilled as often as its service allows."""


class RefillAlreadyPending(Refusal):
    """It was refused because another refill of the order has not ended."""


class RefillNotFound(Refusal):
    """It was refused because the account has no such refill."""
