"""Deciding about a set of drafts (money-and-lifecycle.md, 3): draft by draft, each on its own merits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from panelry.domain import catalog, ledger
from panelry.domain.accounts import AccountId
from panelry.domain.catalog import Service, ServiceId, ServiceNotFound
from panelry.domain.events import Event
from panelry.domain.ledger import Entry, InsufficientBalance, Transfer, Wallet
from panelry.domain.money import Micros
from panelry.domain.orders.rules.parameters import TYPES, fingerprint, read
from panelry.domain.orders.rules.pricing import charge_for
from panelry.domain.orders.values import Draft, NewOrder, OrderId, OrderState, Placed, RequestIdReused
from panelry.domain.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """All that deciding needs, read under locks. `known` are the orders that already carry these request ids.

    An account without a wallet counts as one with an empty wallet: none is opened here, because opening some while
    holding the locks of others would let two sets wait for each other.
    """

    callers: Sequence[AccountId | Refusal]
    wallets: Mapping[AccountId, Wallet]
    services: Mapping[ServiceId, Service]
    known: Mapping[tuple[AccountId, str], tuple[OrderId, bytes]]
    at: datetime


@dataclass(slots=True)
class Decision:
    """An answer for each draft, and everything to store so that the answers are true."""

    answers: list[Placed | Refusal] = field(default_factory=list)
    orders: list[NewOrder] = field(default_factory=list)
    wallets: dict[AccountId, Wallet] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def decide(loaded: Loaded, drafts: Sequence[Draft], *, mint: Callable[[], UUID]) -> Decision:
    """Decide about drafts in their order; `mint` makes ids.

    A refused large order does not hold back a later small one. Twins in the set become one order. A known request id
    is answered before service, coupon, price and balance are looked at.
    """
    decision = Decision(wallets=dict(loaded.wallets))
    known = dict(loaded.known)
    for draft, caller in zip(drafts, loaded.callers, strict=True):
        if isinstance(caller, Refusal):
            decision.answers.append(caller)
            continue
        print_ = fingerprint(draft)
        if (caller, draft.request_id) in known:
            decision.answers.append(_replay(caller, known[caller, draft.request_id], print_))
            continue
        try:
            order = _place(decision, loaded, draft, caller, print_, mint)
        except Refusal as refusal:
            decision.answers.append(refusal)
        else:
            known[caller, draft.request_id] = (order.id, print_)
            decision.answers.append(Placed(account_id=caller, order_id=order.id))
    return decision


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
    account_id: AccountId,
    print_: bytes,
    mint: Callable[[], UUID],
) -> NewOrder:
    service = loaded.services.get(draft.service)
    route = catalog.route_for(service.routes) if service and service.type in TYPES else None
    if service is None or route is None:
        raise ServiceNotFound  # what nobody could deliver is not sold
    wanted = read(service, draft.parameters)
    charge = charge_for(rate=service.rate_micros, rate_per=service.rate_per, units=wanted.quantity)
    order_id = OrderId(mint())
    _charge(decision, account_id, charge, order_id, draft.actor, loaded.at)
    order = NewOrder(
        id=order_id,
        account_id=account_id,
        draft=draft,
        type=service.type,
        fingerprint=print_,
        wanted=wanted,
        rate_micros=service.rate_micros,
        rate_per=service.rate_per,
        charge_micros=charge,
        route_id=route.id,
        provider_id=route.provider_id,
    )
    decision.orders.append(order)
    decision.events.append(_created(order, mint(), loaded.at))
    return order


def _charge(
    decision: Decision, account_id: AccountId, charge: Micros, order_id: OrderId, actor: str, at: datetime
) -> None:
    wallet = decision.wallets.get(account_id, Wallet(account_id=account_id))
    if charge > wallet.balance_micros:
        raise InsufficientBalance
    if charge == 0:
        return
    entry = Entry(
        posting=order_id,
        source=ledger.WALLET,
        target=ledger.SALES,
        amount_micros=charge,
        reason="order",
        actor=actor,
        order_id=order_id,
    )
    decision.wallets[account_id], transfer = ledger.post(wallet, entry, at=at)
    decision.transfers.append(transfer)


def _created(order: NewOrder, event_id: UUID, at: datetime) -> Event:
    return Event(
        id=event_id,
        account_id=order.account_id,
        subject=order.id,
        sequence=1,
        type="order.created",
        data={
            "to": OrderState.PENDING,
            "quantity": order.wanted.quantity,
            "charge_micros": order.charge_micros,
        },
        actor=order.draft.actor,
        at=at,
    )
