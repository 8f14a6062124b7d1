"""Accounts, the callers they are reached through, and why a caller is turned away."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

from msgspec import Struct

from panelry.domain.money import Micros
from panelry.domain.refusals import OperatorRefusal, Refusal

AccountId = NewType("AccountId", UUID)
KeyId = NewType("KeyId", UUID)
TierId = NewType("TierId", int)
KeyDigest = NewType("KeyDigest", bytes)
"""SHA-256 of an API key: all that is stored of it, and what it is looked up by."""


class AccountState(StrEnum):
    """Whether an account may act."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer with the e-mail address of the person who owns it."""

    id: AccountId
    email: str
    state: AccountState


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls with a key: the account behind it, and what the key and its tier allow.

    `per_minute` is the key's own limit, where it has one; `tier_per_minute` counts all keys of the account together.
    """

    key_id: KeyId
    account_id: AccountId
    state: AccountState
    per_minute: int | None
    tier_per_minute: int
    discount_percent: Decimal


class Buyer(Struct, frozen=True, kw_only=True, gc=False):
    """An account that may order, and what its tier takes off every rate."""

    account_id: AccountId
    discount_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A level of customers, reached by lifetime deposits of `threshold_micros`.

    `per_minute` limits all keys of an account together; `discount_percent` comes off every rate.
    """

    id: TierId
    name: str
    per_minute: int
    threshold_micros: Micros
    discount_percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that works, as its owner sees it. Without a limit of its own `per_minute` is `None`."""

    id: KeyId
    account_id: AccountId
    prefix: str
    label: str
    per_minute: int | None
    created_at: datetime
    rotated_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new API key in clear: the only moment at which it exists here, and never in its repr."""

    key: str = field(repr=False)
    prefix: str


class InvalidApiKey(Refusal):
    """It was refused because the key is missing, wrong or revoked; which of these is never told."""


class AccountSuspended(Refusal):
    """It was refused because the account is suspended."""


class TooManyKeys(Refusal):
    """It was refused because the account has the most active keys that it may have."""


class KeyNotFound(OperatorRefusal):
    """It was refused because the account has no such key that works."""


class KeyMade(OperatorRefusal):
    """It was refused because this key was made already, and its value shown."""


class KeyRotated(OperatorRefusal):
    """It was refused because this key was rotated already, and its new value shown."""


class InvalidLabel(OperatorRefusal):
    """It was refused because a label is one line of at most 100 characters."""


class InvalidLimit(OperatorRefusal):
    """It was refused because a limit is 1 to 1,000,000 requests a minute."""


class InvalidTier(OperatorRefusal):
    """It was refused because a tier allows 1 to 1,000,000 requests a minute, is reached by an amount that is not negative, and takes 0 to 99.99 % off."""


class AccountNotFound(OperatorRefusal):
    """It was refused because no account has this e-mail address."""


class EmailTaken(OperatorRefusal):
    """It was refused because somebody already logs in with this e-mail address."""


class InvalidEmail(OperatorRefusal):
    """It was refused because this is not an e-mail address."""


class PasswordTooShort(OperatorRefusal):
    """It was refused because the password has fewer than 10 characters."""


class TierNotFound(OperatorRefusal):
    """It was refused because no tier has this name."""
