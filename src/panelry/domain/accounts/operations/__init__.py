"""All that changes accounts, log-ins, keys and tiers."""

from panelry.domain.accounts.operations.keys import change_key, create_key, note_use, revoke_key, rotate_key
from panelry.domain.accounts.operations.opening import create, resume, suspend
from panelry.domain.accounts.operations.tiers import change_tier, raise_tier, set_tier

__all__ = [
    "change_key",
    "change_tier",
    "create",
    "create_key",
    "note_use",
    "raise_tier",
    "resume",
    "revoke_key",
    "rotate_key",
    "set_tier",
    "suspend",
]
