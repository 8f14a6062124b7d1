"""What people and time do about orders that were sent: cancels, refills, and what nobody knows the outcome of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import partial
from itertools import chain, repeat
from typing import Final

import pytest
from expected import IN_QUESTION, Try
from life import ALL, Life
from market import RECOGNISES

from given import LEASE
from panelry.domain import ids, orders, refills
from panelry.domain.orders import (
    AcceptedAs,
    CancelCall,
    Lookup,
    OrderId,
    PayBack,
    SendAgain,
    Settlement,
    Sight,
)
from panelry.domain.providers import CancelAnswer
from panelry.domain.refills import Answer, Claimed, RefillId, Wanted
from panelry.domain.refusals import OperatorRefusal, Refusal

ENDED: Final = {"completed", "rejected"}


class Eye(StrEnum):
    """What a provider shows of what it is asked for."""

    ALL = "all"
    HALF = "half"
    NOTHING = "nothing"
    LATER = "later"


class Decision(StrEnum):
    """What a person decides about a submission: what the log says, or something else."""

    TRUE = "true"
    AGAIN = "again"
    PAY_BACK = "pay back"
    SOME_ID = "some id"
    NO_ID = "no id"


@dataclass(slots=True)
class Ends:
    """What was asked for in one life, and is still to be answered or answered again."""

    life: Life
    refills: dict[RefillId, tuple[OrderId, str]] = field(default_factory=dict)
    claimed: list[Claimed] = field(default_factory=list)
    asked: list[CancelCall] = field(default_factory=list)
    lookups: list[Lookup] = field(default_factory=list)

    # Cancels

    def cancel(self, asked: Sequence[tuple[int, OrderId]]) -> None:
        """Cancel orders in one call; runs and other people's orders are nobody's to cancel."""
        life, expected = self.life, self.life.expected
        keys = [(life.market.customers[customer].account, id_) for customer, id_ in asked]
        answers = orders.cancel(life.conn, keys, actor=orders.CUSTOMER)
        said = dict(zip(asked, answers, strict=True))
        assert [said[key] for key in asked] == answers or len(said) < len(asked)
        for (customer, id_), answer in said.items():
            order = expected.orders[id_]
            if order.parent or order.customer != customer:
                assert type(answer).__name__ == "OrderNotFound"
                continue
            why_not = expected.cancel(order)
            assert (type(answer).__name__ if isinstance(answer, Refusal) else "") == why_not
            if order.runs > 1 and not why_not:
                order.add_up(expected.now)

    def ask_to_cancel(self, number: int, answers: Sequence[CancelAnswer | None]) -> None:
        """Ask a seller to cancel what is to be cancelled; what it answers moves nothing."""
        life = self.life
        claimed = orders.claim_cancels(life.conn, life.sellers[number].id, most=ALL, lease=LEASE)
        calls = sorted(claimed, key=lambda call: list(life.expected.orders).index(call.order_id))
        for call in calls:
            order = life.expected.orders[call.order_id]
            assert order.wants_cancel
            assert not order.is_over
        self.asked += calls
        orders.record_cancels(life.conn, dict(zip(calls, answers, strict=False)))

    def answer_cancel(self, number: int, answer: CancelAnswer | None) -> None:
        """Answer a request to cancel, early, late or twice."""
        orders.record_cancels(self.life.conn, {self.asked[number % len(self.asked)]: answer})

    # Refills

    def want_refills(self, wanted: Sequence[tuple[int, OrderId]], *, again: bool) -> None:
        """Ask for refills in one call, or for one of those that there are, under its own name."""
        life, expected = self.life, self.life.expected
        account = [customer.account for customer in life.market.customers]
        wishes = [
            Wanted(id=RefillId(ids.new()), account_id=account[customer], order_id=id_)
            for customer, id_ in wanted
        ]
        if again and self.refills:
            id_, (order_id, _) = list(self.refills.items())[-1]
            owner = account[expected.orders[order_id].customer]
            wishes = [Wanted(id=id_, account_id=owner, order_id=order_id)]
        for wish, answer in zip(wishes, refills.request(life.conn, wishes, actor="customer"), strict=True):
            if wish.id in self.refills:
                assert answer == wish.id
                continue
            order = expected.orders[wish.order_id]
            states = [state for of, state in self.refills.values() if of == wish.order_id]
            why_not = expected.why_no_refill(
                order if account[order.customer] == wish.account_id else None, states
            )
            assert (type(answer).__name__ if isinstance(answer, Refusal) else "") == why_not
            if not why_not:
                self.refills[wish.id] = (wish.order_id, "pending")

    def ask_about_refills(self, number: int, answer: Callable[[Claimed], Answer | None]) -> None:
        """Ask a seller what is due about refills, and record those of its answers that are there."""
        due = refills.claim(self.life.conn, self.life.sellers[number].id, most=ALL, lease=LEASE)
        claimed = sorted(due, key=lambda one: list(self.refills).index(one.id))
        self.claimed += claimed
        said = [(one, answer(one)) for one in claimed]
        self._record_refills({one: found for one, found in said if found is not None})

    def answer_refill(self, number: int, answer: Answer) -> None:
        """Answer a question about a refill, early, late or twice."""
        self._record_refills({self.claimed[number % len(self.claimed)]: answer})

    def _record_refills(self, answers: dict[Claimed, Answer]) -> None:
        refills.record(self.life.conn, answers)
        for id_, state in self.life.conn.execute("SELECT id, state FROM refills"):
            order, before = self.refills[id_]
            assert before not in ENDED or state == before
            self.refills[id_] = (order, state)

    # What nobody knows

    def look(self, number: int, eyes: Sequence[Eye]) -> None:
        """Look for the lost orders of a seller, one after the other; eyes that are missing see all."""
        seller = self.life.sellers[number]
        found = {
            one.submission_id: one
            for one in orders.claim_lookups(self.life.conn, seller.id, most=ALL, lease=LEASE)
        }
        assert not found or number != RECOGNISES
        lost = [t for t in self.life.expected.tries if t.attempt.submission_id in found]
        for tried, eye in zip(lost, chain(eyes, repeat(Eye.ALL)), strict=False):
            self.lookups.append(found[tried.attempt.submission_id])
            if eye is not Eye.LATER:
                self.see(len(self.lookups) - 1, eye)

    def see(self, number: int, eye: Eye) -> None:
        """Record what a look shows, early, late or twice: what is adopted is what was really bought."""
        lookup = self.lookups[number % len(self.lookups)]
        [tried] = [t for t in self.life.expected.tries if t.attempt.submission_id == lookup.submission_id]
        seller = self.life.sellers[tried.seller]
        said = seller.status(lookup.asked[:: 2 if eye is Eye.HALF else 1])
        sight = Sight(said=None if eye is Eye.NOTHING else said, failure="no answer")
        orders.record_lookup(self.life.conn, lookup, sight)
        query = "SELECT state, upstream_id FROM submissions WHERE id = %s"
        [(state, upstream_id)] = self.life.conn.execute(query, [lookup.submission_id])
        if tried.state == "unknown" and state == "accepted":
            assert upstream_id == tried.id, "adopted an order that is another's"
            tried.state, tried.upstream_id = state, upstream_id
        elif tried.state == "unknown":
            assert state in IN_QUESTION
            tried.state = state

    def settle(self, tried: Try, decision: Decision) -> None:
        """Do what a person decides, right or wrong."""
        expected, order = self.life.expected, tried.order
        settlement = self._settlement(tried, decision)
        decide = partial(
            orders.settle, self.life.conn, tried.attempt.submission_id, settlement, actor="staff"
        )
        if why_not := self._why_not(tried, settlement):
            with pytest.raises(OperatorRefusal) as refused:
                decide()
            assert refused.typename == why_not
            return
        decide()
        match settlement:
            case AcceptedAs(upstream_id=upstream_id):
                tried.state, tried.upstream_id = "accepted", upstream_id
            case SendAgain():
                tried.state = "settled"
                order.may_be_bought += tried.id != ""
                order.wait(expected.now)
            case PayBack():
                tried.state = "settled"
                if order.state == "processing":
                    order.end("refunded", expected.now, remains=order.quantity)
        self.life.add_up([order])

    def _settlement(self, tried: Try, decision: Decision) -> Settlement:
        match decision:
            case Decision.TRUE if tried.id:
                return AcceptedAs(upstream_id=tried.id)
            case Decision.SOME_ID:
                return AcceptedAs(upstream_id=max(self.life.sellers[tried.seller].log, default="7"))
            case Decision.NO_ID:
                return AcceptedAs(upstream_id="no id")
            case Decision.PAY_BACK:
                return PayBack()
            case _:
                return SendAgain()

    def _why_not(self, tried: Try, settlement: Settlement) -> str:
        taken = {t.upstream_id for t in self.life.expected.tries if t.seller == tried.seller}
        match settlement:
            case _ if tried.state not in IN_QUESTION:
                return "NotInQuestion"
            case AcceptedAs(upstream_id="no id"):
                return "InvalidUpstreamId"
            case AcceptedAs(upstream_id=upstream_id) if upstream_id in taken:
                return "UpstreamIdTaken"
            case SendAgain() if tried.order.state != "processing":
                return "AlreadyPaidBack"
            case _:
                return ""

    def pay_back(self, hours: int) -> None:
        """Pay those back who have waited for so long."""
        now = self.life.expected.now
        late = [
            t
            for t in self.life.in_question
            if t.order.state == "processing" and (t.unknown_since or 0) <= now - hours * 3600
        ]
        assert orders.pay_back_unknown(self.life.conn, waited=timedelta(hours=hours)) == len(late)
        for tried in late:
            tried.state = "quarantined"
            tried.order.end("refunded", now, remains=tried.order.quantity)
        self.life.add_up(tried.order for tried in late)
