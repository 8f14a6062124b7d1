"""All that changes tiers, and who is in which."""

from decimal import Decimal
from pathlib import Path

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain.accounts import rules
from panelry.domain.accounts.values import AccountId, TierId, TierNotFound
from panelry.domain.money import Micros

SQL = Statements(Path(__file__).parents[1] / "statements")


def change_tier(
    conn: Conn,
    name: str,
    *,
    per_minute: int | None = None,
    threshold: Micros | None = None,
    discount_percent: Decimal | None = None,
) -> None:
    """Change what a tier allows, what reaches it and what it takes off every rate; `None` leaves a thing as it is.

    Accounts stay in their tiers. Raises `TierNotFound`, or `InvalidTier` for what no tier can have.
    """
    rules.check_tier(per_minute, threshold, discount_percent)
    changed = SQL["change_tier"](
        conn, name=name, per_minute=per_minute, threshold=threshold, discount=discount_percent
    )
    if changed.fetchone() is None:
        raise TierNotFound(tier=name)


def set_tier(conn: Conn, account_id: AccountId, name: str) -> None:
    """Put an account into a tier, higher or lower; deposits may still move it up. Raises `TierNotFound`."""
    if SQL["set_tier"](conn, account_id=account_id, name=name).fetchone() is None:
        raise TierNotFound(tier=name)


def raise_tier(conn: Conn, account_id: AccountId, tier_id: TierId) -> bool:
    """Put an account into a tier that is higher than its own, and tell whether it is; it never moves down."""
    SQL["lock_account"](conn, account_id=account_id)  # what is read after this is what staff said last
    return SQL["raise_tier"](conn, account_id=account_id, tier_id=tier_id).fetchone() is not None
