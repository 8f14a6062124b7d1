"""What can be asked about coupons."""

from collections.abc import Collection
from typing import Any, Final

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import ids, money
from panelry.domain.accounts import AccountId
from panelry.domain.coupons.values import CouponServiceNotFound
from panelry.domain.ledger import Finding

SQL = Statements.beside(__file__)
MOST_FINDINGS: Final = 100


def every(conn: Conn) -> list[dict[str, Any]]:
    """List all coupons for staff, newest first: rows as mappings that print and encode as they are."""
    return [
        {
            "coupon": code,
            "state": state,
            "percent": None if percent is None else f"{percent.normalize():f}",
            "fixed": None if fixed is None else money.text(fixed),
            "minimum": money.text(minimum),
            "uses": uses,
            "limit": most_uses,
            "per_user": most_per_account,
            "services": services,
            "categories": categories,
            "starts": starts_at.isoformat() if starts_at else None,
            "ends": ends_at.isoformat() if ends_at else None,
        }
        for (
            code, state, percent, fixed, minimum, most_uses, most_per_account, uses, services, categories, starts_at,
            ends_at,
        ) in SQL["every_coupon"](conn)
    ]  # fmt: skip


def category_ids(conn: Conn, names: Collection[str]) -> frozenset[int]:
    """Return the ids of categories, for the terms of a coupon. Raises `CouponServiceNotFound`."""
    found: dict[str, int] = dict(SQL["categories_by_name"](conn, names=list(names)).fetchall())
    for name in names:
        if name not in found:
            raise CouponServiceNotFound(category=name)
    return frozenset(found.values())


def verify(conn: Conn) -> list[Finding]:
    """Hold coupons against their uses, and uses against orders and their transfers."""
    findings = [
        Finding(account="", row=f"coupon {code}", problem=f"counts {uses} uses, there are {rows}")
        for code, uses, rows in SQL["wrong_counts"](conn, most=MOST_FINDINGS)
    ]
    for code, account_id, last, rows in SQL["wrong_numbers"](conn, most=MOST_FINDINGS):
        findings.append(
            _finding(account_id, f"coupon {code}", f"was used {rows} times, the last has number {last}")
        )
    for account_id, order, said, used, given in SQL["wrong_uses"](conn, most=MOST_FINDINGS):
        problem = (
            f"says that a coupon gave {_text(said)}, its use says {_text(used)}, its transfers {_text(given)}"
        )
        findings.append(_finding(account_id, ids.show(ids.ORDER, order) if order else "transfers", problem))
    return findings


def _finding(account_id: AccountId, row: str, problem: str) -> Finding:
    return Finding(account=ids.show(ids.ACCOUNT, account_id), row=row, problem=problem)


def _text(amount: int | None) -> str:
    return "nothing" if amount is None else money.text(amount)
