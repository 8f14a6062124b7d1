"""What a change writes into an order's timeline: which events, and what each of them keeps."""

from typing import Final

from panelry.domain.money import Micros
from panelry.domain.orders.rules.pricing import coupon_share
from panelry.domain.orders.rules.transitions import may_go
from panelry.domain.orders.values import SUBSCRIPTIONS, Change, OrderState

_NAMES: Final = {state: str(state) for state in OrderState} | {OrderState.REFUNDED: "failed"}


def steps(change: Change) -> list[str]:
    """Name the events that a change writes: for a new state, for other news, for money that went back.

    Those of a drip-feed's runs are `run.…`: their order has events of its own. A refund of which the wallet got nothing
    has a name that nobody is told.
    """
    names = []
    if change.to is not change.order.state:
        assert may_go(change.order.state, change.to), f"{change.order.state} may not become {change.to}"
        names.append(_NAMES[change.to])
    if change.news:
        names.append(change.news)
    if change.order.parent_id is not None:
        return [f"run.{name}" for name in names]
    if change.refund_micros > 0:
        names.append("refunded" if back_to_wallet(change) > 0 else "coupon_returned")
    return [f"order.{name}" for name in names]


def kept(change: Change) -> dict[str, str | int | None]:
    """Return what each of these events keeps: how the order stands after the change, and what went back by it."""
    order = change.order
    to_wallet = back_to_wallet(change)
    paid = order.charge_micros - order.coupon_micros - order.refunded_micros + order.coupon_back_micros
    data: dict[str, str | int | None] = {
        "from": order.state,
        "to": change.to,
        "start_count": change.start_count,
        "remains": change.remains,
        "charge_micros": paid - to_wallet,
    }
    if order.type == SUBSCRIPTIONS:
        done = order.posts_done if change.posts_done is None else change.posts_done
        data |= {"posts": order.posts, "posts_done": done}
    if change.refund_micros > 0:
        data |= {"refund_micros": to_wallet, "coupon_back_micros": back_to_coupon(change)}
    return {**data, **change.facts}


def back_to_wallet(change: Change) -> Micros:
    """Return what the customer gets of a refund; the rest is the coupon's."""
    return Micros(change.refund_micros - back_to_coupon(change))


def back_to_coupon(change: Change) -> Micros:
    """Return what the coupon's book gets of a refund."""
    order = change.order
    refunded = Micros(order.refunded_micros + change.refund_micros)
    share = coupon_share(refunded=refunded, coupon=order.coupon_micros, charge=order.charge_micros)
    return Micros(share - order.coupon_back_micros)
