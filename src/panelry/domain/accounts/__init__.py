"""Accounts, the people behind them and their API keys: who is calling, and may they?"""

from panelry.domain.accounts.operations import create, create_key, resume, revoke_key, suspend
from panelry.domain.accounts.queries import buyer_from, by_email, identify
from panelry.domain.accounts.rules import digest, is_well_formed
from panelry.domain.accounts.values import (
    Account,
    AccountId,
    AccountNotFound,
    AccountState,
    AccountSuspended,
    Buyer,
    Caller,
    EmailTaken,
    InvalidApiKey,
    InvalidEmail,
    IssuedKey,
    KeyDigest,
    KeyId,
    KeyNotFound,
    PasswordTooShort,
    TierNotFound,
    TooManyKeys,
)

__all__ = [
    "Account",
    "AccountId",
    "AccountNotFound",
    "AccountState",
    "AccountSuspended",
    "Buyer",
    "Caller",
    "EmailTaken",
    "InvalidApiKey",
    "InvalidEmail",
    "IssuedKey",
    "KeyDigest",
    "KeyId",
    "KeyNotFound",
    "PasswordTooShort",
    "TierNotFound",
    "TooManyKeys",
    "buyer_from",
    "by_email",
    "create",
    "create_key",
    "digest",
    "identify",
    "is_well_formed",
    "resume",
    "revoke_key",
    "suspend",
]
