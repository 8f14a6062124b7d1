"""Orders, drafts of them, submissions to providers, and why an order is refused. Amounts are micros."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from msgspec import Struct

from panelry.domain.accounts import AccountId, KeyDigest
from panelry.domain.catalog import RouteId, ServiceId
from panelry.domain.coupons import Use
from panelry.domain.ledger import SALES
from panelry.domain.money import ZERO, Micros
from panelry.domain.providers import ProviderId
from panelry.domain.refusals import OperatorRefusal, Refusal

OrderId = NewType("OrderId", UUID)
SubmissionId = NewType("SubmissionId", UUID)

SUBSCRIPTIONS: Final = "Subscriptions"
"""The one type whose orders are followed by posts instead of counts."""

CUSTOMER: Final = "customer"
ENGINE: Final = "engine"
STAFF: Final = "staff"
"""Who does things: events and transfers name their actor."""


class OrderState(StrEnum):
    """The states of money-and-lifecycle.md, 4."""

    PENDING = "pending"
    PROCESSING = "processing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    PARTIAL = "partial"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class SubmissionState(StrEnum):
    """The states of money-and-lifecycle.md, 5; `prepared` lives only inside the transaction that commits `sending`."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    NOT_SENT = "not_sent"
    REJECTED = "rejected"
    POSTPONED = "postponed"
    UNKNOWN = "unknown"
    QUARANTINED = "quarantined"


class Draft(Struct, frozen=True, kw_only=True, gc=False):
    """What somebody wants to order, unchecked but for its shape; `caller` is a key's digest or a known account.

    `parameters` are those of api-v2.md, 5, trimmed and never empty, without `service` and `request_id`.
    """

    caller: KeyDigest | AccountId
    service: ServiceId
    request_id: str
    parameters: Mapping[str, str]
    actor: str = CUSTOMER


class Placed(Struct, frozen=True, kw_only=True, gc=False):
    """The order that now exists; `replayed` when it existed before this call."""

    account_id: AccountId
    order_id: OrderId
    replayed: bool = False


class Wanted(Struct, frozen=True, kw_only=True, gc=False):
    """A draft's parameters, read by the rules of its service's type: what is bought, and how much of it in each run.

    `posts` are those of a subscription, `None` where their number is open. `interval_minutes` is set where there is
    more than one run.
    """

    link: str | None
    quantity: int
    extras: Mapping[str, str] = {}
    posts: int | None = None
    runs: int = 1
    interval_minutes: int | None = None
    coupon: str | None = None


class NewOrder(Struct, frozen=True, kw_only=True, gc=False):
    """An order about to be stored as pending, with the route that it will take first.

    `quantity` and `charge_micros` are those of all runs together. A drip-feed has no route: its runs do.
    """

    id: OrderId
    account_id: AccountId
    draft: Draft
    type: str
    fingerprint: bytes
    wanted: Wanted
    quantity: int
    rate_micros: Micros
    rate_per: int
    charge_micros: Micros
    use: Use | None
    route_id: RouteId | None
    provider_id: ProviderId | None

    @property
    def coupon_micros(self) -> Micros:
        """Return what a coupon pays of the charge."""
        return self.use.amount_micros if self.use else ZERO


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """An order as it stands, locked while it is decided about. `sequence` is that of its last event.

    `parent_id` is set for a run of a drip-feed, `posts` for a subscription that says how many. Of the charge
    `coupon_micros` came from a coupon, of the refunds `coupon_back_micros` went back to it.
    """

    id: OrderId
    account_id: AccountId
    service_id: ServiceId
    type: str
    quantity: int
    charge_micros: Micros
    refunded_micros: Micros
    state: OrderState
    sequence: int
    start_count: int
    remains: int
    attempt: int
    created_at: datetime
    finished_at: datetime | None = None
    parent_id: OrderId | None = None
    posts: int | None = None
    posts_done: int = 0
    coupon_micros: Micros = ZERO
    coupon_back_micros: Micros = ZERO
    cancel_requested: bool = False


class Change(Struct, frozen=True, kw_only=True, gc=False):
    """What happens to one order in one step. `None` leaves a thing as it is.

    `refund_micros` is posted on top of earlier refunds, out of `book`. `facts` go into the event. A change to the same
    state without a refund only updates counts and due time and writes no event, unless `news` names one.
    """

    order: Order
    to: OrderState
    refund_micros: Micros
    start_count: int
    remains: int
    posts_done: int | None = None
    facts: Mapping[str, str | int | None] = {}
    actor: str = ENGINE
    book: str = SALES
    news: str = ""
    cancel_requested: bool = False
    route: tuple[RouteId, ProviderId] | None = None
    due_at: datetime | None = None
    attempt: int | None = None


class Submission(Struct, frozen=True, kw_only=True, gc=False):
    """One attempt to buy an order, as far as deciding about it needs; `resent` once the call may have been repeated."""

    id: SubmissionId
    route_id: RouteId
    provider_id: ProviderId
    provider_service: str
    state: SubmissionState
    upstream_id: str | None
    attempt: int
    message: str
    sent_at: datetime
    due_at: datetime | None
    unknown_at: datetime | None
    resent: bool


class Verdict(Struct, frozen=True, kw_only=True, gc=False):
    """What an answer means for a submission.

    `note` is kept as evidence, `message` is the provider's own text, `reason` names a rejection, `reported` is what
    the provider says of the order now.
    """

    submission: Submission
    to: SubmissionState
    due_at: datetime | None
    note: str = ""
    message: str | None = None
    reason: str | None = None
    upstream_id: str | None = None
    reported: Mapping[str, str | int | None] | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to make: everything that the provider is to be told.

    `repetition` counts from 1 where the answers to all earlier calls were lost; the first call is 0.
    """

    submission_id: SubmissionId
    account_id: AccountId
    provider_id: ProviderId
    provider_service: str
    request_id: str
    parameters: Mapping[str, str]
    repetition: int = 0


class Known(Struct, frozen=True, kw_only=True, gc=False):
    """How an accepted submission and its order stood when it was claimed, and what the provider said of it last."""

    order: Order
    sent_at: datetime
    due_at: datetime
    message: str
    reported: Mapping[str, str | int | None] | None


class Tracked(Struct, frozen=True, kw_only=True, gc=False, eq=False):
    """One accepted submission whose state is to be asked for; no two are equal."""

    submission_id: SubmissionId
    account_id: AccountId
    provider_id: ProviderId
    upstream_id: str
    known: Known | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCall:
    """One accepted submission that its provider is to be asked to cancel; `attempt` counts earlier calls."""

    submission_id: SubmissionId
    account_id: AccountId
    order_id: OrderId
    upstream_id: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Where the runs of a drip-feed stand together: how many there are to be, how many exist, and sums over these.

    `stopped`: no more are made. `states` counts runs by their state.
    """

    runs: int
    made: int
    stopped: bool
    states: Mapping[OrderState, int]
    start_count: int
    remains: int
    refunded_micros: Micros


class Status(Struct, frozen=True, kw_only=True, gc=False):
    """What a customer sees of an order; `charge_micros` is what the customer pays for it now, after coupon and refunds.

    `runs` and `runs_done` are `None` but for drip-feeds, `posts_done` but for subscriptions; `posts` is `None` where
    their number is open.
    """

    state: OrderState
    charge_micros: Micros
    start_count: int
    remains: int
    runs: int | None = None
    runs_done: int | None = None
    posts: int | None = None
    posts_done: int | None = None


class MissingParameter(Refusal):
    """It was refused because a required parameter is missing."""


class NotPositiveInteger(Refusal):
    """It was refused because a numeric parameter is not a positive integer in ASCII digits."""


class NotWholeNumber(Refusal):
    """It was refused because a numeric parameter that may be zero is not a whole number in ASCII digits."""


class ParameterOutOfRange(Refusal):
    """It was refused because a numeric parameter is smaller or larger than it may be."""


class ParameterTooLong(Refusal):
    """It was refused because a parameter is longer than it may be."""


class NotOneLine(Refusal):
    """It was refused because a parameter of one line has line breaks or control characters in it."""


class TooManyLines(Refusal):
    """It was refused because a list has more lines than it may have."""


class InvalidUrl(Refusal):
    """It was refused because a parameter is not an http(s) URL."""


class InvalidExpiry(Refusal):
    """It was refused because the expiry is not a day of the calendar as d/m/Y, or a day that has passed."""


class MaxBelowMin(Refusal):
    """It was refused because the most that is wanted for each post is less than the least."""


class InvalidQuantity(Refusal):
    """It was refused because the quantity is not a positive integer."""


class QuantityOutOfRange(Refusal):
    """It was refused because the quantity is outside the service's limits."""


class InvalidLink(Refusal):
    """It was refused because the link is not an http(s) URL."""


class LinkTooLong(Refusal):
    """It was refused because the link has more than 1,000 characters."""


class RequestIdTooLong(Refusal):
    """It was refused because the request id has more than 128 characters."""


class RequestIdReused(Refusal):
    """It was refused because an order with this request id and other parameters exists."""


class DripFeedUnavailable(Refusal):
    """It was refused because the service is not delivered in runs."""


class OrderNotFound(Refusal):
    """It was refused because the account has no such order."""


class CannotBeCancelled(Refusal):
    """It was refused because the order is finished, or under way at a service without cancel."""


class NoSuchOrder(OperatorRefusal):
    """It was refused because there is no order with this id."""
