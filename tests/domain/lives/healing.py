"""What ends every life: all faults are over, everybody answers honestly, and the loops run until nothing moves any more."""

from decimal import Decimal
from typing import Final

from bought import BOUGHT
from ends import Decision, Ends
from expected import Try
from life import ALL, Life

from panelry.domain import catalog, orders, providers, refills
from panelry.domain.providers import (
    CancelAsked,
    RefillReport,
    RefillState,
    RefillTaken,
    Report,
    UpstreamBalance,
    UpstreamState,
)
from panelry.domain.refills import Answer, Claimed, Question

ROUNDS: Final = 12
DAY: Final = 86_400
PATIENCE: Final = 72
"""For how many hours an order may be unknown until its customer is paid back."""


def heal(life: Life, ends: Ends) -> None:
    """Let every order come to its end; what is left in question goes to a person, who knows the truth."""
    life.usual = BOUGHT
    plenty = UpstreamBalance(amount=Decimal(5), currency="USD")
    for seller in life.sellers:
        providers.record_balance(life.conn, seller.id, plenty)
    for item, number in sorted(life.expected.closed):
        catalog.set_route(life.conn, life.market.routes[item, number], on=True)
    life.expected.closed.clear()
    _run(life, ends)
    assert all(t.state == "quarantined" for t in life.in_question)
    in_question = {t.order for t in life.in_question}
    assert all(order.is_over or order in in_question for order in life.singles), "an order never ends"
    for tried in life.in_question:
        ends.settle(tried, Decision.TRUE)
    for tried in life.in_question:
        ends.settle(tried, Decision.PAY_BACK)  # paid back already, or another order stands under its id
    life.check()
    _run(life, ends)
    assert all(order.is_over for order in life.expected.orders.values()), "an order never ends"
    assert {state for _, state in ends.refills.values()} <= {"completed", "rejected"}


def _run(life: Life, ends: Ends) -> None:
    """Let days pass until nothing is left that time could end."""
    for _ in range(ROUNDS):
        waiting = [o for o in life.expected.orders.values() if not o.is_over]
        if not waiting and not any(state in {"pending", "in_progress"} for _, state in ends.refills.values()):
            break
        life.wait(DAY)
        life.make_runs()
        life.abandon()
        orders.reroute(life.conn)
        _answer(life, ends)
        ends.pay_back(PATIENCE)
        life.check()


def _answer(life: Life, ends: Ends) -> None:
    due, to_follow = orders.due(life.conn), orders.to_follow(life.conn)
    about_refills = refills.due(life.conn)
    for number, seller in enumerate(life.sellers):
        if seller.id in due.to_ask:
            life.resend(number, [])
        if seller.id in due.to_look:
            ends.look(number, [])
        if seller.id in due.to_cancel:
            ends.ask_to_cancel(number, [CancelAsked()] * ALL)
        if seller.id in about_refills:
            ends.ask_about_refills(number, _honest)
        if seller.id in due.to_send:
            life.send(number, [])
        if seller.id in to_follow:
            life.follow(number, _end)


def _end(tried: Try) -> Report:
    """Say at last how an order ended: some were cancelled when that was asked for, some only in part delivered."""
    quantity = tried.order.quantity
    if tried.order.wants_cancel:
        return Report(state=UpstreamState.CANCELLED, word="Canceled", remains=quantity // 2, posts_done=0)
    if quantity % 2:
        return Report(state=UpstreamState.PARTIAL, word="Partial", remains=quantity // 3, posts_done=1)
    return Report(state=UpstreamState.COMPLETED, word="Completed", remains=0)


def _honest(claimed: Claimed) -> Answer:
    match claimed.question:
        case Question.REFILL:
            return RefillTaken(upstream_id=f"refill of {claimed.upstream_order}")
        case Question.PROGRESS:
            return RefillReport(state=RefillState.COMPLETED, word="Completed")
        case Question.ORDER:
            return Report(state=UpstreamState.COMPLETED, word="Completed", remains=0)
