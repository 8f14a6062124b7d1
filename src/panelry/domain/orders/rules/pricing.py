"""What an order costs, and what is owed back (money-and-lifecycle.md, 1)."""

from panelry.domain.money import ZERO, Micros, ceil_div


def charge_for(*, rate: Micros, rate_per: int, units: int) -> Micros:
    """Return the charge for that many units, rounded up once."""
    assert rate >= 0
    assert units > 0
    return Micros(ceil_div(rate * units, rate_per))


def refund_due(*, charge: Micros, quantity: int, remains: int) -> Micros:
    """Return what is owed for the undelivered part of an order, in micros.

    What is kept is rounded up, so all refunds of one order never add up to more than its charge.
    """
    assert quantity > 0
    delivered = quantity - clamp(remains, quantity)
    return Micros(charge - ceil_div(charge * delivered, quantity))


def coupon_share(*, refunded: Micros, coupon: Micros, charge: Micros) -> Micros:
    """Return how much of all that was refunded goes back to the coupon's book: its part of the charge, rounded down.

    It never shrinks while refunds grow, and is the whole of the coupon's part when the whole charge was refunded.
    """
    return Micros(refunded * coupon // charge) if coupon else ZERO


def clamp(count: int, quantity: int) -> int:
    """Bring a provider's count into 0..quantity: it may be negative (over-delivered) or too large."""
    return min(max(count, 0), quantity)
