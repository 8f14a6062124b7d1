"""The actions of API v2 as one table: what each takes, within which limits, what it is refused for (api-v2.md, 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from panelry.contract.refusals import IdMissing, OneOrMany, TooManyIds
from panelry.domain import catalog, coupons, ledger, orders, refills, webhooks
from panelry.domain.refusals import Refusal

MAX_REQUEST_ID: Final = 128
MAX_IDS: Final = 100


class Kind(StrEnum):
    """What a parameter's value is; all travel as strings."""

    STRING = "string"
    INTEGER = "integer"
    URL = "url"
    LINES = "lines"
    DATE = "date"
    ID = "id"
    IDS = "ids"
    EVENTS = "events"


class Needed(StrEnum):
    """Whether a call must name a parameter: always, as the service's type says, one of those marked so, or never."""

    ALWAYS = "always"
    BY_TYPE = "by_type"
    ONE_OF = "one_of"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One field of a call beside `key` and `action`.

    `least` and `most` bound the number, the characters, or the ids of a list. `required_by` and `taken_by` are the
    service types that need it and that take it besides; both are empty for what is the same for every type.
    """

    name: str
    kind: Kind
    needed: Needed = Needed.ALWAYS
    least: int | None = None
    most: int | None = None
    required_by: tuple[str, ...] = ()
    taken_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What `action` may name. It `acts` where more than reading comes of a call, and `spends` where it costs money.

    `refusals` are those of its own, in the order in which they are checked; every call can meet those of `GENERAL`, too.
    """

    name: str
    parameters: tuple[Parameter, ...] = ()
    refusals: tuple[type[Refusal], ...] = ()
    acts: bool = False
    spends: bool = False


_KINDS: Final = {"link": Kind.URL, "referring_url": Kind.URL, "expiry": Kind.DATE}
_UNBOUNDED: Final = 2**31 - 1
# As people look for them: what most orders have, then what single types need.
_OF_ORDERS: Final = (
    "link", "quantity", "runs", "interval", "coupon", "username", "usernames", "comments", "hashtag", "hashtags", "media",
    "groups", "keywords", "answer_number", "country", "device", "type_of_traffic", "google_keyword", "referring_url",
    "min", "max", "posts", "old_posts", "delay", "expiry",
)  # fmt: skip


def _of_orders(name: str) -> Parameter:
    """Return a parameter of orders as the tables of service types have it."""
    required = tuple(type_ for type_, row in orders.TYPES.items() if name in row.required)
    taken = tuple(type_ for type_, row in orders.TYPES.items() if name in row.optional)
    least, most = orders.NUMBERS.get(name, (None, orders.TEXTS.get(name)))
    if name in orders.LISTS:
        kind, most = Kind.LINES, orders.MOST_LINES
    elif name in orders.NUMBERS:
        kind = Kind.INTEGER
    else:
        kind = _KINDS.get(name, Kind.STRING)
    return Parameter(
        name=name,
        kind=kind,
        needed=Needed.BY_TYPE if required else Needed.NEVER,
        least=least,
        most=None if most and most >= _UNBOUNDED else most,
        required_by=required,
        taken_by=taken,
    )


def _one_or_many(name: str) -> tuple[Parameter, Parameter]:
    return (
        Parameter(name=name, kind=Kind.ID, needed=Needed.ONE_OF),
        Parameter(name=f"{name}s", kind=Kind.IDS, needed=Needed.ONE_OF, most=MAX_IDS),
    )


_ABOUT_IDS: Final = (IdMissing, OneOrMany, TooManyIds)
_WEBHOOK: Final = Parameter(name="webhook", kind=Kind.ID)

_TABLE: Final = (
    Action(name="services"),
    Action(
        name="add",
        parameters=(
            Parameter(name="service", kind=Kind.INTEGER, least=1),
            Parameter(name="request_id", kind=Kind.STRING, least=1, most=MAX_REQUEST_ID),
            *map(_of_orders, _OF_ORDERS),
        ),
        refusals=(
            orders.MissingParameter,
            orders.NotPositiveInteger,
            orders.RequestIdTooLong,
            orders.RequestIdReused,
            catalog.ServiceNotFound,
            orders.InvalidLink,
            orders.LinkTooLong,
            orders.InvalidQuantity,
            orders.QuantityOutOfRange,
            orders.DripFeedUnavailable,
            orders.NotWholeNumber,
            orders.ParameterOutOfRange,
            orders.ParameterTooLong,
            orders.NotOneLine,
            orders.TooManyLines,
            orders.InvalidUrl,
            orders.InvalidExpiry,
            orders.MaxBelowMin,
            coupons.InvalidCoupon,
            ledger.InsufficientBalance,
        ),
        acts=True,
        spends=True,
    ),
    Action(name="status", parameters=_one_or_many("order"), refusals=(*_ABOUT_IDS, orders.OrderNotFound)),
    Action(
        name="refill",
        parameters=_one_or_many("order"),
        refusals=(
            *_ABOUT_IDS,
            orders.OrderNotFound,
            refills.OrderNotEligible,
            refills.RefillUnavailable,
            refills.RefillPeriodExpired,
            refills.RefillLimitReached,
            refills.RefillAlreadyPending,
        ),
        acts=True,
    ),
    Action(
        name="refill_status",
        parameters=_one_or_many("refill"),
        refusals=(*_ABOUT_IDS, refills.RefillNotFound),
    ),
    Action(
        name="cancel",
        parameters=_one_or_many("order"),
        refusals=(*_ABOUT_IDS, orders.OrderNotFound, orders.CannotBeCancelled),
        acts=True,
    ),
    Action(name="balance"),
    Action(
        name="webhook.add",
        parameters=(
            Parameter(name="url", kind=Kind.URL, most=webhooks.LONGEST_URL),
            Parameter(name="events", kind=Kind.EVENTS, needed=Needed.NEVER),
        ),
        refusals=(
            orders.MissingParameter,
            webhooks.UnknownEvent,
            webhooks.InvalidWebhookUrl,
            webhooks.WebhookUrlNotHttps,
            webhooks.WebhookUrlNotPublic,
            webhooks.TooManyWebhooks,
        ),
        acts=True,
    ),
    Action(name="webhook.list"),
    Action(
        name="webhook.test",
        parameters=(_WEBHOOK,),
        refusals=(orders.MissingParameter, webhooks.WebhookNotFound, webhooks.WebhookDisabled),
        acts=True,
    ),
    Action(
        name="webhook.remove",
        parameters=(_WEBHOOK,),
        refusals=(orders.MissingParameter, webhooks.WebhookNotFound),
        acts=True,
    ),
)

ACTIONS: Final[Mapping[str, Action]] = {action.name: action for action in _TABLE}
"""What may be asked for; everything else goes by one name in metrics and logs."""
