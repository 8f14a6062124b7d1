"""All that changes coupons."""

from collections.abc import Collection, Sequence

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain.accounts import AccountId
from panelry.domain.coupons import rules
from panelry.domain.coupons.values import (
    Coupon,
    CouponExists,
    CouponId,
    CouponNotFound,
    CouponServiceNotFound,
    CouponState,
    InvalidCouponCode,
    Terms,
    Use,
)

SQL = Statements.beside(__file__)


def create(conn: Conn, code: str, terms: Terms) -> str:
    """Make a coupon and return its code as it is stored, in capitals.

    Raises `InvalidCouponCode`, `CouponExists`, `InvalidTerms` or `CouponServiceNotFound`.
    """
    normal = rules.normal_code(code)
    if normal is None:
        raise InvalidCouponCode(code=code[:64])
    rules.check(terms)
    known = {id_ for (id_,) in SQL["known_services"](conn, ids=list(terms.services))}
    for service in sorted(terms.services - known):
        raise CouponServiceNotFound(service=service)
    made = SQL["insert_coupon"](
        conn,
        code=normal,
        percent=terms.percent,
        fixed=terms.fixed_micros,
        minimum_charge=terms.minimum_charge_micros,
        most_uses=terms.most_uses,
        most_per_account=terms.most_per_account,
        service_ids=sorted(terms.services),
        category_ids=sorted(terms.categories),
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
    )
    if made.fetchone() is None:
        raise CouponExists(code=normal)
    return normal


def turn_off(conn: Conn, code: str) -> str:
    """Let a coupon be used no more and return its code; orders that used it keep what it took off.

    Raises `CouponNotFound`.
    """
    normal = rules.normal_code(code)
    if normal is None or SQL["turn_off"](conn, code=normal).fetchone() is None:
        raise CouponNotFound(code=code[:64])
    return normal


def lock(conn: Conn, codes: Collection[str], account_ids: Collection[AccountId]) -> dict[str, Coupon]:
    """Lock the coupons with these codes and return them by code, with how often these accounts used them.

    Whoever also locks wallets locks those first, so that two sets never wait for each other.
    """
    wanted = sorted(set(codes))
    if not wanted:
        return {}
    with conn.pipeline():
        locked = SQL["lock_coupons"](conn, codes=wanted)
        used = SQL["uses_by_account"](conn, codes=wanted, account_ids=list(set(account_ids)))
    used_by: dict[str, dict[AccountId, int]] = {}
    for code, account_id, times in used:
        used_by.setdefault(code, {})[account_id] = times
    return {row[1]: _coupon(row, used_by.get(row[1], {})) for row in locked}


def record(conn: Conn, uses: Sequence[Use]) -> None:
    """Write uses of locked coupons, after their orders."""
    if not uses:
        return
    coupon_ids = [use.coupon_id for use in uses]
    SQL["insert_uses"](
        conn,
        coupon_ids=coupon_ids,
        account_ids=[use.account_id for use in uses],
        numbers=[use.number for use in uses],
        order_ids=[use.order_id for use in uses],
        amounts=[use.amount_micros for use in uses],
    )
    SQL["count_uses"](conn, coupon_ids=coupon_ids)


def _coupon(row: Row, used_by: dict[AccountId, int]) -> Coupon:
    (
        id_, code, state, percent, fixed, minimum, most_uses, most_per_account, services, categories, starts_at, ends_at,
        uses,
    ) = row  # fmt: skip
    return Coupon(
        id=CouponId(id_),
        code=code,
        state=CouponState(state),
        terms=Terms(
            percent=percent,
            fixed_micros=fixed,
            minimum_charge_micros=minimum,
            most_uses=most_uses,
            most_per_account=most_per_account,
            services=frozenset(services),
            categories=frozenset(categories),
            starts_at=starts_at,
            ends_at=ends_at,
        ),
        uses=uses,
        used_by=used_by,
    )
