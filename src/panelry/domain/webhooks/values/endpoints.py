"""Endpoints, and why one is refused."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from panelry.domain.accounts import AccountId, KeyId
from panelry.domain.refusals import OperatorRefusal, Refusal
from panelry.domain.webhooks.values.telling import WebhookId


class WebhookState(StrEnum):
    """Only an active endpoint is told anything; a removed one is only kept for its history."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


class Reason(StrEnum):
    """Why an endpoint is disabled: it said 410, failed for days, lost its key, or its owner wanted it."""

    GONE = "gone"
    FAILING = "failing"
    KEY_REVOKED = "key_revoked"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A new endpoint with its secret in clear: the only moment at which it is shown, and never in its repr."""

    id: WebhookId
    url: str
    events: tuple[str, ...]
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint as its owner sees it, made with a key (`None`: on a page).

    `last_result` is that of the last attempt, such as `HTTP 200`; empty before the first one.
    """

    id: WebhookId
    account_id: AccountId
    key_id: KeyId | None
    url: str
    events: tuple[str, ...]
    state: WebhookState
    reason: str
    created_at: datetime
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    last_result: str


class UnknownEvent(Refusal):
    """It was refused because there is no such event to ask for."""


class TooManyWebhooks(Refusal):
    """It was refused because the key, or the account's pages, have as many endpoints as they may have."""


class WebhookNotFound(Refusal):
    """It was refused because the account has no such endpoint."""


class WebhookDisabled(Refusal):
    """It was refused because nothing is sent to a disabled endpoint."""


class InvalidWebhookUrl(Refusal):
    """It was refused because this is not a URL that could be called: too long, not one, with a user name or odd port."""


class WebhookUrlNotHttps(Refusal):
    """It was refused because endpoints are called by https only."""


class WebhookUrlNotPublic(Refusal):
    """It was refused because its name does not lead to public addresses only."""


class NoSuchWebhook(OperatorRefusal):
    """It was refused because there is no endpoint with this id."""
