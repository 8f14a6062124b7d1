"""Deciding about a set of drafts (money-and-lifecycle.md, 3): draft by draft, each on its own merits."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from panelry.domain import catalog, coupons, ledger
from panelry.domain.accounts import AccountId, Buyer
from panelry.domain.catalog import Service, ServiceId, ServiceNotFound
from panelry.domain.coupons import Coupon, InvalidCoupon, Purchase, Use
from panelry.domain.events import Event
from panelry.domain.ledger import Entry, InsufficientBalance, Transfer, Wallet, WalletFull
from panelry.domain.money import Micros
from panelry.domain.orders.rules.parameters import fingerprint, read
from panelry.domain.orders.rules.pricing import charge_for
from panelry.domain.orders.rules.types import TYPES
from panelry.domain.orders.values import (
    SUBSCRIPTIONS,
    Draft,
    NewOrder,
    OrderId,
    OrderState,
    Placed,
    RequestIdReused,
)
from panelry.domain.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All that deciding needs, read under locks.

    `coupons` are those that the drafts name, by code; `known` the orders that already carry these request ids. An
    account without a wallet can pay for nothing: none is opened here, because opening some while holding the locks of
    others would let two sets wait for each other.
    """

    callers: Sequence[Buyer | Refusal]
    wallets: Mapping[AccountId, Wallet]
    services: Mapping[ServiceId, Service]
    coupons: Mapping[str, Coupon]
    known: Mapping[tuple[AccountId, str], tuple[OrderId, bytes]]
    at: datetime


@dataclass(slots=True)
class Decision:
    """An answer for each draft, and everything to store so that the answers are true."""

    answers: list[Placed | Refusal] = field(default_factory=list)
    orders: list[NewOrder] = field(default_factory=list)
    wallets: dict[AccountId, Wallet] = field(default_factory=dict)
    coupons: dict[str, Coupon] = field(default_factory=dict)
    known: dict[tuple[AccountId, str], tuple[OrderId, bytes]] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def decide(loaded: Loaded, drafts: Sequence[Draft], *, mint: Callable[[], UUID]) -> Decision:
    """Decide about the first drafts of a set, or all, in their order; `mint` makes ids.

    A refused large order does not hold back a later small one. Twins in the set become one order. A known request id
    is answered before service, coupon, price and balance are looked at.
    """
    decision = Decision(wallets=dict(loaded.wallets), coupons=dict(loaded.coupons), known=dict(loaded.known))
    known = decision.known
    for draft, buyer in zip(drafts, loaded.callers, strict=False):
        if isinstance(buyer, Refusal):
            decision.answers.append(buyer)
            continue
        account_id, print_ = buyer.account_id, fingerprint(draft)
        if (account_id, draft.request_id) in known:
            decision.answers.append(_replay(account_id, known[account_id, draft.request_id], print_))
            continue
        try:
            order = _place(decision, loaded, draft, buyer, print_, mint)
        except Refusal as refusal:
            decision.answers.append(refusal)
        else:
            known[account_id, draft.request_id] = (order.id, print_)
            decision.answers.append(Placed(account_id=account_id, order_id=order.id))
    return decision


def after(loaded: Loaded, decision: Decision) -> Loaded:
    """Return what the drafts that follow are decided from: the callers of those, and all else as a decision left it."""
    return replace(
        loaded,
        callers=loaded.callers[len(decision.answers) :],
        wallets=decision.wallets,
        coupons=decision.coupons,
        known=decision.known,
    )


def _replay(account_id: AccountId, known: tuple[OrderId, bytes], print_: bytes) -> Placed | RequestIdReused:
    order_id, first_print = known
    return (
        Placed(account_id=account_id, order_id=order_id, replayed=True)
        if print_ == first_print
        else RequestIdReused()
    )


def _place(
    decision: Decision,
    loaded: Loaded,
    draft: Draft,
    buyer: Buyer,
    print_: bytes,
    mint: Callable[[], UUID],
) -> NewOrder:
    service = loaded.services.get(draft.service)
    route = catalog.route_for(service.routes) if service and service.type in TYPES else None
    if service is None or route is None:
        raise ServiceNotFound  # what nobody could deliver is not sold
    wanted = read(service, draft.parameters, today=loaded.at.astimezone(UTC).date())
    rate = catalog.discounted(service.rate_micros, buyer.discount_percent)
    one_run = charge_for(rate=rate, rate_per=service.rate_per, units=wanted.quantity)
    purchase = Purchase(
        account_id=buyer.account_id,
        order_id=mint(),
        service=service.id,
        category=service.category,
        charge_micros=Micros(wanted.runs * one_run),
    )
    coupon, use = _redeemed(decision.coupons, wanted.coupon, purchase, loaded.at)
    first = route if wanted.runs == 1 else None
    order = NewOrder(
        id=OrderId(purchase.order_id),
        account_id=buyer.account_id,
        draft=draft,
        type=service.type,
        fingerprint=print_,
        wanted=wanted,
        quantity=wanted.runs * wanted.quantity,
        rate_micros=rate,
        rate_per=service.rate_per,
        charge_micros=purchase.charge_micros,
        use=use,
        route_id=first.id if first else None,
        provider_id=first.provider_id if first else None,
    )
    _charge(decision, order, loaded.at)
    if coupon:
        decision.coupons[coupon.code] = coupon
    decision.orders.append(order)
    decision.events.append(_created(order, mint(), loaded.at))
    return order


def _redeemed(
    known: Mapping[str, Coupon], said: str | None, purchase: Purchase, at: datetime
) -> tuple[Coupon, Use] | tuple[None, None]:
    if said is None:
        return None, None
    coupon = known.get(coupons.normal_code(said) or "")
    if coupon is None:
        raise InvalidCoupon
    return coupons.redeem(coupon, purchase, at=at)


def _charge(decision: Decision, order: NewOrder, at: datetime) -> None:
    """Take the charge out of the wallet. What a coupon gives comes in and leaves again in the same act."""
    if order.charge_micros == 0:
        return
    wallet = decision.wallets.get(order.account_id)
    if wallet is None or order.charge_micros - order.coupon_micros > wallet.balance_micros:
        raise InsufficientBalance
    transfers = []
    for entry in _entries(order):
        try:
            wallet, transfer = ledger.post(wallet, entry, at=at)
        except WalletFull:  # not even for a moment
            raise InvalidCoupon from None
        transfers.append(transfer)
    decision.wallets[order.account_id] = wallet
    decision.transfers += transfers


def _entries(order: NewOrder) -> Iterator[Entry]:
    if order.use:
        yield _entry(order, ledger.COUPON, ledger.WALLET, order.coupon_micros, f"coupon {order.use.code}")
    yield _entry(order, ledger.WALLET, ledger.SALES, order.charge_micros, "order")


def _entry(order: NewOrder, source: str, target: str, amount: Micros, reason: str) -> Entry:
    return Entry(
        posting=order.id,
        source=source,
        target=target,
        amount_micros=amount,
        reason=reason,
        actor=order.draft.actor,
        order_id=order.id,
    )


def _created(order: NewOrder, event_id: UUID, at: datetime) -> Event:
    data: dict[str, str | int | None] = {
        "to": OrderState.PENDING,
        "quantity": order.quantity,
        "start_count": 0,
        "remains": order.quantity,
        "charge_micros": order.charge_micros - order.coupon_micros,
        "coupon_micros": order.coupon_micros,
    }
    if order.wanted.interval_minutes:
        data |= {"runs": order.wanted.runs, "runs_done": 0}
    if order.type == SUBSCRIPTIONS:
        data |= {"posts": order.wanted.posts, "posts_done": 0}
    return Event(
        id=event_id,
        account_id=order.account_id,
        subject=order.id,
        sequence=1,
        type="order.created",
        data=data,
        actor=order.draft.actor,
        at=at,
    )
