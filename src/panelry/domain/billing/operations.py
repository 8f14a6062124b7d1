"""All that happens when money comes in."""

from panelry.database.pool import Conn
from panelry.domain import accounts, ledger, letters
from panelry.domain.accounts import AccountId, Tier
from panelry.domain.billing import rules
from panelry.domain.letters import Letter
from panelry.domain.money import Micros


def deposit(
    conn: Conn,
    account_id: AccountId,
    amount: Micros,
    *,
    gateway: str,
    reason: str,
    actor: str,
    reference: str | None,
) -> Micros:
    """Credit a wallet with money that came in by a gateway, and return the balance after it.

    In the same transaction the account moves up to the tier that its deposits have reached: never down, and never below
    one that staff gave. A reference that is already booked changes nothing. Raises as `ledger.transfer` does.
    """
    # Under this lock two deposits follow each other, and the later one sees both.
    before = ledger.lock(conn, [account_id])[account_id]
    balance = ledger.credit(
        conn,
        account_id,
        amount,
        source=ledger.deposit(gateway),
        reason=reason,
        actor=actor,
        reference=reference,
    )
    if balance != before.balance_micros:
        reached = rules.tier_reached(accounts.tiers(conn), ledger.deposited(conn, account_id))
        if reached is not None and accounts.raise_tier(conn, account_id, reached.id):
            _congratulate(conn, account_id, reached)
    return balance


def _congratulate(conn: Conn, account_id: AccountId, tier: Tier) -> None:
    data: dict[str, str | int | None] = {
        "tier": tier.name,
        "discount": f"{tier.discount_percent.normalize():f}",
        "per_minute": tier.per_minute,
    }
    for email in accounts.people(conn, account_id):
        letters.write(conn, Letter(recipient=email, template="tier_reached", data=data))
