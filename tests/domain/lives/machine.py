"""The state machine: customers, providers, people and time do anything at all to orders, in any order."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import cycle
from typing import Final, TypeVar

import laws
from bought import BOUGHT, FATE, FATE_AGAIN, LOST
from drawn import (
    AFTERTHOUGHTS,
    ANY,
    ASKED,
    CANCEL_ANSWERS,
    CODE,
    DECISIONS,
    ENDINGS,
    EYES,
    ITEM,
    REFILL_ANSWERS,
    REPORTS,
    ROUTES,
    SELLERS,
    SIZES,
    TROUBLES,
    WAITS,
    WISHES,
)
from ends import Decision, Ends, Eye
from expected import IN_QUESTION, Answer, Order, Try
from healing import heal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from life import Life
from market import CUSTOMERS, DIALECTS, ITEMS, Market, Wish, opened

from panelry.database.pool import Pool
from panelry.domain import catalog, orders, providers, refills
from panelry.domain.orders import OrderId
from panelry.domain.providers import CancelAnswer, Outcome, Report, RowError, UpstreamBalance

STEPS: Final = 50
AUDITED: Final = 10
"""After so many steps all books are gone through."""
MOST_ORDERS: Final = 14
MOST_CANCELS: Final = 7
MOST_DEPOSITS: Final = 9
T = TypeVar("T")


class Lives(RuleBasedStateMachine):
    """One life: `items` are those that customers want, `usual` is what mostly becomes of calls."""

    def __init__(self, pool: Pool, market: Market, items: Sequence[int], usual: str) -> None:
        super().__init__()
        self.items = items
        self.life = Life(pool, market, usual=usual)
        self.ends = Ends(self.life)
        self.deposits = self.steps = 0

    @initialize(
        placed=st.lists(st.tuples(ITEM, SIZES, CODE), min_size=5, max_size=8),
        fates=st.lists(FATE, max_size=3),
    )
    def open(self, placed: list[tuple[int, int, int | None]], fates: list[str]) -> None:
        """Begin with some money, some orders that were bought, and some that anything may have become of."""
        for customer in range(CUSTOMERS):
            self.deposit(customer, 1_000_000, "")
        wishes = [_possible(n, self.item(item), size, code) for n, (item, size, code) in enumerate(placed)]
        self.life.place(wishes[:3])
        self.serve(1, [])
        self.life.place(wishes[3:])
        self.serve(61, fates)

    def item(self, number: int) -> int:
        return self.items[number % len(self.items)]

    def chosen(self, things: Sequence[T], number: int, likely: Callable[[T], bool] = lambda _: True) -> T:
        """Choose one thing: in three of four cases a likely one, where there is any."""
        preferred = [thing for thing in things if likely(thing)] if number % 4 else things
        pool = preferred or things
        return pool[number // 4 % len(pool)]

    def order_of(self, number: int, who: int, likely: Callable[[Order], bool]) -> tuple[int, OrderId]:
        """Choose an order and who asks about it."""
        known = list(self.life.expected.orders.items())
        id_, order = self.chosen(known, number, lambda pair: likely(pair[1]))
        return (who if who < CUSTOMERS else order.customer), id_

    def any_try(self, *states: str) -> bool:
        return any(tried.state in states for tried in self.life.expected.tries)

    # Customers

    @precondition(lambda self: self.deposits < MOST_DEPOSITS)
    @rule(
        customer=st.integers(0, CUSTOMERS - 1),
        micros=st.sampled_from([1, 37_000, 1_000_000]),
        reference=st.sampled_from(["", "a"]),
    )
    def deposit(self, customer: int, micros: int, reference: str) -> None:
        self.deposits += 1
        self.life.deposit(customer, micros, reference or f"#{self.deposits}")

    @precondition(lambda self: len(self.life.expected.requests) < MOST_ORDERS)
    @rule(
        wishes=st.lists(WISHES, min_size=1, max_size=4), again=st.none() | ANY, size=st.none() | st.just(100)
    )
    def place(self, wishes: list[Wish], again: int | None, size: int | None) -> None:
        """Place a set, maybe with a request that was made before, the same or another."""
        wanted = [replace(wish, item=self.item(wish.item)) for wish in wishes]
        if again is not None:
            _, first = self.chosen(list(self.life.expected.requests.values()), again)
            wanted.append(replace(first, size=first.size if size is None else size))
        self.life.place(wanted)

    @precondition(lambda self: sum(o.wants_cancel for o in self.life.expected.orders.values()) < MOST_CANCELS)
    @rule(asked=ASKED)
    def cancel(self, asked: list[tuple[int, int]]) -> None:
        self.ends.cancel([self.order_of(*one, lambda order: not order.is_over) for one in asked])

    @precondition(lambda self: any(t.order.has_delivered for t in self.life.accepted))
    @rule(asked=ASKED, again=st.booleans())
    def refill(self, asked: list[tuple[int, int]], *, again: bool) -> None:
        self.ends.want_refills([self.order_of(*one, _is_refillable) for one in asked], again=again)

    # Time and the engine

    @rule(seconds=WAITS)
    def wait(self, seconds: int) -> None:
        self.life.wait(seconds)

    @rule(seconds=WAITS, number=SELLERS, fates=st.lists(FATE, min_size=1, max_size=5))
    def send(self, seconds: int, number: int, fates: list[str]) -> None:
        self.life.wait(seconds)
        self.life.send(number, fates)

    @rule(seconds=WAITS, fates=st.lists(FATE, max_size=4))
    def serve(self, seconds: int, fates: list[str]) -> None:
        """Do what mostly happens: make the runs, move what is stranded, send all that waits, have most accepted."""
        self.life.wait(seconds)
        self.life.make_runs()
        orders.reroute(self.life.conn)
        for number in range(len(DIALECTS)):
            self.life.send(number, fates[number:])

    @precondition(lambda self: self.any_try("sending"))
    @rule(seconds=WAITS)
    def abandon(self, seconds: int) -> None:
        self.life.wait(seconds)
        self.life.abandon()

    @precondition(lambda self: self.any_try("unknown"))
    @rule(
        seconds=WAITS,
        eyes=st.lists(EYES, min_size=1, max_size=4),
        fates=st.lists(FATE_AGAIN, min_size=1, max_size=4),
    )
    def ask_again(self, seconds: int, eyes: list[Eye], fates: list[str]) -> None:
        """Find out about what is unknown: by the same request id where that is known, else by looking for it."""
        self.life.wait(seconds)
        for number, seller in enumerate(self.life.sellers):
            self.life.resend(number, fates)
            if not seller.recognises:
                self.ends.look(number, eyes)

    @precondition(lambda self: self.ends.lookups)
    @rule(number=ANY, eye=EYES)
    def see(self, number: int, eye: Eye) -> None:
        """Record a look late, or twice."""
        self.ends.see(number, eye)

    # Providers

    @precondition(lambda self: self.any_try("sending", *IN_QUESTION))
    @rule(answers=st.lists(st.tuples(ANY, ANY), min_size=1, max_size=4))
    def answer(self, answers: list[tuple[int, int]]) -> None:
        """Have answers to calls arrive, late and twice: what a call that is not settled was answered is true."""
        tries = sorted(
            self.life.expected.tries, key=lambda tried: tried.state not in {"sending", *IN_QUESTION}
        )
        told: dict[Try, Answer] = {}
        for number, call in answers:
            tried = self.chosen(tries, number)
            told[tried] = self.chosen([*enumerate(tried.calls), (0, LOST)], call)
        self.life.hear(told)

    @precondition(lambda self: self.any_try("settled", "accepted"))
    @rule(said=st.lists(st.tuples(ANY, AFTERTHOUGHTS), min_size=1, max_size=3))
    def think_again(self, said: list[tuple[int, Outcome]]) -> None:
        """Have providers say something else about what is settled already."""
        settled = [t for t in self.life.expected.tries if t.state in {"settled", "accepted"}]
        self.life.hear({self.chosen(settled, number): (0, outcome) for number, outcome in said})

    @precondition(lambda self: self.life.accepted)
    @rule(said=st.lists(st.tuples(ANY, REPORTS), min_size=1, max_size=5))
    def report(self, said: list[tuple[int, Report | RowError | None]]) -> None:
        self.life.report(
            {self.chosen(self.life.accepted, number, _is_live): report for number, report in said}
        )

    @precondition(lambda self: self.life.accepted)
    @rule(ends=st.lists(st.tuples(ANY, ENDINGS), min_size=1, max_size=3))
    def end(self, ends: list[tuple[int, Report]]) -> None:
        self.life.report(
            {self.chosen(self.life.accepted, number, _is_live): report for number, report in ends}
        )

    @precondition(lambda self: self.life.accepted)
    @rule(seconds=WAITS, said=st.lists(ENDINGS | REPORTS, min_size=1, max_size=5))
    def follow(self, seconds: int, said: list[Report | RowError | None]) -> None:
        """Ask all providers about what is due, and be told this."""
        self.life.wait(seconds)
        told = cycle(said)
        for number in range(len(DIALECTS)):
            self.life.follow(number, lambda _: next(told))

    @precondition(lambda self: any(order.wants_cancel for order in self.life.singles))
    @rule(
        number=SELLERS,
        answers=st.lists(CANCEL_ANSWERS, min_size=1, max_size=3),
        late=st.none() | st.tuples(ANY, CANCEL_ANSWERS),
    )
    def ask_to_cancel(
        self, number: int, answers: list[CancelAnswer | None], late: tuple[int, CancelAnswer | None] | None
    ) -> None:
        self.ends.ask_to_cancel(number, answers)
        if late and self.ends.asked:
            self.ends.answer_cancel(*late)

    @precondition(lambda self: self.ends.refills)
    @rule(
        seconds=WAITS,
        answers=st.lists(REFILL_ANSWERS | st.none(), min_size=1, max_size=3),
        late=st.none() | st.tuples(ANY, REFILL_ANSWERS),
    )
    def ask_about_refills(
        self, seconds: int, answers: list[refills.Answer | None], late: tuple[int, refills.Answer] | None
    ) -> None:
        self.life.wait(seconds)
        told = cycle(answers)
        for number in range(len(DIALECTS)):
            self.ends.ask_about_refills(number, lambda _: next(told))
        if late and self.ends.claimed:
            self.ends.answer_refill(*late)

    @rule(number=SELLERS, trouble=TROUBLES)
    def trouble(self, number: int, trouble: str) -> None:
        """Let a provider be paused, be broken for half a minute, tell what we have left there, or sell to other people."""
        conn, seller = self.life.conn, self.life.sellers[number]
        match trouble:
            case "broken":
                providers.mark_broken(conn, seller.id, seconds=30)
            case "key" | "funds":
                providers.pause(conn, [seller.id], trouble)
            case "another customer":
                seller.sell_to_others()
            case "staff":
                seller.sell_by_hand()
            case _:
                amount = Decimal(5 if trouble == "balance" else 0)
                providers.record_balance(conn, seller.id, UpstreamBalance(amount=amount, currency="USD"))

    # People

    @rule(route=ROUTES, on=st.booleans())
    def switch(self, route: tuple[int, int], *, on: bool) -> None:
        """Switch a route on or off."""
        catalog.set_route(self.life.conn, self.life.market.routes[route], on=on)
        (self.life.expected.closed.discard if on else self.life.expected.closed.add)(route)

    @precondition(lambda self: self.any_try(*IN_QUESTION))
    @rule(number=ANY, decision=DECISIONS)
    def settle(self, number: int, decision: Decision) -> None:
        tried = self.chosen(self.life.expected.tries, number, lambda tried: tried.state in IN_QUESTION)
        self.ends.settle(tried, decision)

    @precondition(lambda self: self.any_try(*IN_QUESTION))
    @rule(seconds=WAITS, hours=st.sampled_from([1, 24]))
    def pay_back(self, seconds: int, hours: int) -> None:
        self.life.wait(seconds)
        self.ends.pay_back(hours)

    @invariant()
    def all_is_as_expected(self) -> None:
        self.life.check()
        self.steps += 1
        if self.steps % AUDITED == 0:
            laws.audit(self.life)

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:  # a life that failed is over
                heal(self.life, self.ends)
                laws.audit(self.life)
        finally:
            self.life.close()


def _is_open(tried: Try) -> bool:
    return tried.state in {"sending", *IN_QUESTION}


def _is_live(tried: Try) -> bool:
    return not tried.order.is_over


def _is_refillable(order: Order) -> bool:
    return order.has_delivered and order.runs == 1 and order.sold.refills > 0


def _possible(number: int, item: int, size: int, code: int | None) -> Wish:
    """Wish for something that there is, so that at most its coupon is refused."""
    sold = ITEMS[item]
    return Wish(
        customer=number % CUSTOMERS,
        item=item,
        size=min(max(size, sold.minimum), sold.maximum),
        request=100 + number,
        runs=1 + number % 3 if sold.has_runs else 1,
        code=code,
    )


def play(pool: Pool, *, lives: int, items: Sequence[int] = range(len(ITEMS)), usual: str = BOUGHT) -> None:
    """Play so many lives of 50 steps each; with the profile `long` 25 times as many."""
    market = opened(pool)
    run_state_machine_as_test(
        lambda: Lives(pool, market, items, usual),
        settings=settings(
            max_examples=max(lives * settings.default.max_examples // 100, 1),
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
