"""What a provider is, and what it can be asked and can answer: the contract between the domain and connectors.

A connector translates a dialect into these values and decides nothing (upstream-dialects.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NewType, Protocol

from msgspec import Struct

from panelry.domain.refusals import OperatorRefusal

ProviderId = NewType("ProviderId", int)


class ProviderState(StrEnum):
    """Whether orders may go to a provider."""

    ACTIVE = "active"
    PAUSED = "paused"


class Rejection(StrEnum):
    """Why a provider definitely refused an order; what follows is decided by the rules of orders."""

    KEY = "key"
    FUNDS = "funds"
    SERVICE = "service"
    LINK = "link"
    QUANTITY = "quantity"
    EXTRAS = "extras"


class Delay(StrEnum):
    """Why a provider wants an order later."""

    DUPLICATE_LINK = "duplicate_link"
    RATE = "rate"


class UpstreamState(StrEnum):
    """What a provider's word for an order's state means in ours."""

    PENDING = "pending"
    PROCESSING = "processing"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    PARTIAL = "partial"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    PAUSED = "paused"
    EXPIRED = "expired"


class RefillState(StrEnum):
    """What a provider's word for a refill's state means in ours."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one provider bends the convention; data, stored beside the provider.

    `errors` and `words` are looked at before the connector's own tables: lower-case substrings of error texts, and
    state words compared in lower case with `_` and `-` read as spaces.
    """

    name: str = "panel_v2"
    supports_request_id: bool = False
    errors: Mapping[str, Rejection | Delay] = field(default_factory=dict)
    words: Mapping[str, UpstreamState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An upstream panel as a connector needs it; `key` is in clear and never leaves this value's repr."""

    id: ProviderId
    name: str
    url: str
    key: str = field(repr=False)
    dialect: Dialect
    state: ProviderState
    currency: str
    max_in_flight: int
    per_second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamOrder:
    """One order to buy: the provider's service id and the parameters of api-v2.md §5, values as text.

    `request_id` is sent only where the dialect supports it.
    """

    service: str
    request_id: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider took the order; `charge` is what it says this costs us, in its currency, if it says so."""

    upstream_id: str
    charge: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A definite no: nothing was bought."""

    reason: Rejection
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """Not now: nothing was bought, the same order may be sent again later."""

    reason: Delay
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Surely never read by the provider (DNS, refused, TLS, connect time-out): may be sent again."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """Everything else: the order may or may not have been bought. `text` is evidence for staff."""

    text: str


Outcome = Accepted | Rejected | Postponed | NotSent | Unknown


class Report(Struct, frozen=True, kw_only=True, gc=False):
    """What a provider says about one order.

    `state` is `None` for a word nobody mapped (`word` keeps it). Counts are `None` where absent or unreadable;
    `remains` may be negative (over-delivered) or exceed the quantity. `charge` is in the provider's currency.
    `posts_done` and `expiry` (as the provider writes it) are said of subscriptions alone.
    """

    state: UpstreamState | None
    word: str
    start_count: int | None = None
    remains: int | None = None
    charge: Decimal | None = None
    posts_done: int | None = None
    expiry: str = ""


class RowError(Struct, frozen=True, kw_only=True, gc=False):
    """The provider answered an error for this one order or refill, such as "Incorrect order ID"."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked:
    """The provider knows now that the order is to be cancelled; whether it will be is told by the order's status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRefused:
    """The provider does not cancel this order."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefillTaken:
    """The provider refills; `upstream_id` is its name for the refill, `None` where it gives none."""

    upstream_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefillOpen:
    """The provider says that a refill of this order is under way already."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefillRefused:
    """The provider does not refill this order."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefillReport:
    """How a refill is doing; `state` is `None` for a word nobody mapped (`word` keeps it)."""

    state: RefillState | None
    word: str


CancelAnswer = CancelAsked | CancelRefused
RefillAnswer = RefillTaken | RefillOpen | RefillRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamService:
    """One row of a provider's list. `rate` is per 1,000 units or per package, in the provider's currency.

    `type` is in our spelling (`"Custom Comments"`) where it is one of ours, else as sent. `minimum` and `maximum`
    are `None` where absent or unreadable; a row without a usable id or rate is not returned at all.
    """

    service: str
    name: str
    type: str
    category: str
    rate: Decimal
    minimum: int | None
    maximum: int | None
    dripfeed: bool
    refill: bool
    cancel: bool
    description: str
    average_time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamBalance:
    """What we have left at a provider, exactly as it says; `currency` is empty where it does not say."""

    amount: Decimal
    currency: str


class ProviderNotFound(OperatorRefusal):
    """It was refused because no provider has this name."""


class ProviderNameTaken(OperatorRefusal):
    """It was refused because another provider has this name."""


class UnknownDialect(OperatorRefusal):
    """It was refused because no connector speaks this dialect."""


class InvalidProviderUrl(OperatorRefusal):
    """It was refused because the address is not an http(s) URL without user name and fragment."""


class Connector(Protocol):
    """One provider, spoken to in its dialect.

    `add` never raises for what the outside does: every fault is one of the outcomes. The others raise
    `TemporaryFailure` (try later) or `PermanentFailure` (bad key, unusable address). An id that `statuses` or `cancel`
    were asked about and that is missing from their answer was not answered. Asking to cancel twice is asking once.
    """

    async def add(self, order: UpstreamOrder) -> Outcome: ...
    async def statuses(self, upstream_ids: Sequence[str]) -> Mapping[str, Report | RowError]: ...
    async def cancel(self, upstream_ids: Sequence[str]) -> Mapping[str, CancelAnswer]: ...
    async def refill(self, upstream_id: str) -> RefillAnswer: ...
    async def refill_status(self, refill_id: str) -> RefillReport | RowError: ...
    async def services(self) -> Sequence[UpstreamService]: ...
    async def balance(self) -> UpstreamBalance: ...
