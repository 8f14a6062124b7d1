"""Accounts, the callers they are reached through, and why a caller is turned away."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

from panelry.domain.refusals import OperatorRefusal, Refusal

AccountId = NewType("AccountId", UUID)
KeyId = NewType("KeyId", UUID)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """An account that may order, and what its tier takes off every rate."""

    account_id: AccountId
    discount_percent: Decimal


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


class KeyNotFound(OperatorRefusal):
    """It was refused because no active key has this prefix."""
