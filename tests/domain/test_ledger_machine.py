"""Everything that moves money, in any order, against a simple model of what should have become of it."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import count
from math import ceil

import psycopg
import pytest
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

from given import LEASE, Customer, Given, draft
from panelry.database.pool import Pool
from panelry.domain import ledger, orders, providers
from panelry.domain.catalog import ServiceNotFound
from panelry.domain.ledger import InsufficientBalance, ReferenceReused
from panelry.domain.money import Micros
from panelry.domain.orders import (
    Attempt,
    Draft,
    OrderId,
    Placed,
    QuantityOutOfRange,
    RequestIdReused,
    Tracked,
)
from panelry.domain.providers import (
    Accepted,
    Delay,
    NotSent,
    Outcome,
    Postponed,
    ProviderId,
    Rejected,
    Rejection,
    Report,
    RowError,
    Unknown,
    UpstreamBalance,
    UpstreamState,
)

ENDS = {"completed", "partial", "cancelled", "refunded"}
OURS = {Rejection.KEY, Rejection.FUNDS}
OUTCOMES: st.SearchStrategy[Outcome] = st.one_of(
    st.integers(1, 400).map(lambda n: Accepted(upstream_id=f"{n}")),
    st.integers(401, 10**9).map(lambda n: Accepted(upstream_id=f"{n}")),
    st.sampled_from(list(Rejection)).map(lambda reason: Rejected(reason=reason, text="no")),
    st.sampled_from([Rejection.LINK, Rejection.KEY, Rejection.FUNDS]).map(
        lambda reason: Rejected(reason=reason, text="no")
    ),
    st.sampled_from([Rejection.QUANTITY, Rejection.EXTRAS]).map(
        lambda reason: Rejected(reason=reason, text="no")
    ),
    st.sampled_from(list(Delay)).map(lambda reason: Postponed(reason=reason, text="later")),
    st.just(NotSent(text="refused")),
    st.just(Unknown(text="time-out")),
)
REPORTS: st.SearchStrategy[Report | RowError | None] = st.one_of(
    st.builds(
        Report,
        state=st.none() | st.sampled_from(list(UpstreamState)),
        word=st.just("word"),
        start_count=st.none() | st.integers(-3, 10**6),
        remains=st.none() | st.integers(-20, 200),
        charge=st.none() | st.sampled_from([Decimal("0.00"), Decimal("0.1")]),
    ),
    st.just(RowError(text="Incorrect order ID")),
    st.none(),
)


@dataclass(slots=True)
class Order:
    """What the model knows of one order."""

    customer: int
    service: int
    quantity: int
    charge: int
    refunded: int = 0
    state: str = "pending"
    remains: int = 0
    refused: set[ProviderId] = field(default_factory=set)

    def end(self, state: str, remains: int) -> None:
        """End with this much undelivered; what is kept is rounded up."""
        kept = ceil(Fraction(self.charge * (self.quantity - remains), self.quantity))
        self.state, self.refunded = state, self.charge - kept if state != "completed" else 0


@dataclass(slots=True)
class Try:
    """What the model knows of one attempt."""

    attempt: Attempt
    order: Order
    until: float
    state: str = "sending"
    upstream_id: str = ""
    resent: bool = False


class Books(RuleBasedStateMachine):
    """Customers, two providers of which one recognises our request ids, and three services."""

    def __init__(self, pool: Pool) -> None:
        super().__init__()
        self._transaction = pool.transaction()
        self.conn = self._transaction.__enter__()
        self.given = Given(self.conn)
        self.seconds = 0.0
        self.customers: list[Customer] = []
        self.deposits: list[dict[str, int]] = []
        self.orders: dict[OrderId, Order] = {}
        self.known: dict[tuple[int, str], tuple[OrderId, int, int]] = {}
        self.tries: list[Try] = []
        self.closed: set[tuple[int, ProviderId]] = set()
        self.numbers = count()

    @initialize()
    def open(self) -> None:
        given = self.given
        self.classic, self.panelry = given.provider(), given.provider(dialect="panelry")
        self.conn.execute("UPDATE providers SET max_in_flight = 5")
        self.services = [
            given.service(self.classic, rate="0.37", maximum=150),
            given.service(given.provider(), rate="1.000001", maximum=150),
            given.service(given.provider(), rate="3.333333", maximum=150),
        ]
        self.conn.execute("DELETE FROM routes WHERE service_id <> %s", [self.services[0]])
        self.routes: list[list[ProviderId]] = [[self.classic, self.panelry], [self.classic], [self.panelry]]
        given.route(self.services[0], provider=self.panelry)
        given.route(self.services[1], provider=self.classic)
        given.route(self.services[2], provider=self.panelry)
        self.customers = [given.customer() for _ in range(3)]
        self.deposits = [{} for _ in self.customers]
        for customer in range(len(self.customers)):
            self.deposit(customer, 5_000_000, "")
        self.place(
            [(n % 3, n % 3, quantity, n) for n, quantity in enumerate((10, 33, 100, 150, 77, 11, 150, 99))]
        )
        self.serve(accepted=2)
        sending = [n for n, tried in enumerate(self.tries) if tried.state == "sending"]
        self.record(dict.fromkeys(sending[::2], Unknown(text="time-out")))

    def balance(self, customer: int) -> int:
        """Return deposits less what the customer's orders cost now."""
        cost = sum(o.charge - o.refunded for o in self.orders.values() if o.customer == customer)
        return sum(self.deposits[customer].values()) - cost

    @rule(
        customer=st.integers(0, 2),
        micros=st.sampled_from([1, 36, 37_000, 5_000_000]),
        reference=st.sampled_from(["", "a", "b"]),
    )
    def deposit(self, customer: int, micros: int, reference: str) -> None:
        booked = self.deposits[customer]
        name = reference or f"#{next(self.numbers)}"
        try:
            ledger.credit(
                self.conn, self.customers[customer].account, Micros(micros), source=ledger.deposit("card"), reason="deposit",
                actor="staff", reference=reference or None,
            )  # fmt: skip
        except ReferenceReused:
            assert booked[name] != micros
        else:
            assert booked.setdefault(name, micros) == micros

    @rule(
        wanted=st.lists(
            st.tuples(
                st.integers(0, 2),
                st.integers(0, 2),
                st.sampled_from([9, 10, 33, 100, 150, 151]),
                st.integers(0, 12),
            ),
            max_size=8,
        )
    )
    def place(self, wanted: list[tuple[int, int, int, int]]) -> None:
        drafts = [self.draft(*one) for one in wanted]
        for one, answer in zip(wanted, orders.place(self.conn, drafts), strict=True):
            self.check_answer(answer, *one)

    def draft(self, customer: int, service: int, quantity: int, request: int) -> Draft:
        return draft(
            self.customers[customer], self.services[service], quantity=quantity, request_id=f"r{request}"
        )

    def check_answer(self, answer: object, customer: int, service: int, quantity: int, request: int) -> None:
        rates = [370_000, 1_000_001, 3_333_333]
        charge = ceil(Fraction(rates[service] * quantity, 1000))
        known = self.known.get((customer, f"r{request}"))
        if known is not None:
            if known[1:] == (service, quantity):
                assert isinstance(answer, Placed)
                assert (answer.order_id, answer.replayed) == (known[0], True)
            else:
                assert isinstance(answer, RequestIdReused)
        elif not any((service, provider) not in self.closed for provider in self.routes[service]):
            assert isinstance(answer, ServiceNotFound)
        elif not 10 <= quantity <= 150:
            assert isinstance(answer, QuantityOutOfRange)
        elif charge > self.balance(customer):
            assert isinstance(answer, InsufficientBalance)
        else:
            assert isinstance(answer, Placed)
            assert not answer.replayed
            self.known[customer, f"r{request}"] = (answer.order_id, service, quantity)
            self.orders[answer.order_id] = Order(customer, service, quantity, charge)

    @rule(classic=st.booleans(), most=st.integers(1, 10))
    def claim(self, classic: bool, most: int) -> None:  # noqa: FBT001 (drawn)
        provider = self.classic if classic else self.panelry
        before = sum(t.state == "sending" and t.attempt.provider_id == provider for t in self.tries)
        attempts = orders.claim_submissions(self.conn, provider, most=most, lease=LEASE)
        assert len(attempts) <= max(min(most, 5 - before), 0)
        for attempt in attempts:
            [[order_id]] = self.conn.execute(
                "SELECT order_id FROM submissions WHERE id = %s", [attempt.submission_id]
            ).fetchall()
            order = self.orders[order_id]
            assert order.state == "pending"
            assert provider not in order.refused
            order.state = "processing"
            self.tries.append(Try(attempt, order, self.seconds + LEASE.total_seconds()))

    @precondition(lambda self: self.tries)
    @rule(answers=st.lists(st.tuples(st.integers(0, 15), OUTCOMES), min_size=1, max_size=4))
    def answer(self, answers: list[tuple[int, Outcome]]) -> None:
        live = sorted(range(len(self.tries)), key=lambda n: self.tries[n].state not in {"sending", "unknown"})
        self.record({live[number % len(live)]: outcome for number, outcome in answers})

    def record(self, chosen: dict[int, Outcome]) -> None:
        outcomes = {
            (self.tries[n].attempt.account_id, self.tries[n].attempt.submission_id): outcome
            for n, outcome in chosen.items()
        }
        counted = orders.record_outcomes(self.conn, outcomes, resendable={self.panelry})
        heard: set[tuple[ProviderId, str]] = set()
        assert counted == sum([self.apply(self.tries[n], outcome, heard) for n, outcome in chosen.items()])

    def apply(self, tried: Try, outcome: Outcome, heard: set[tuple[ProviderId, str]]) -> bool:
        """Do in the model what an outcome means; tell whether it counted. `heard` are ids in this set of answers."""
        provider, order = tried.attempt.provider_id, tried.order
        only_call = tried.state == "sending" or not tried.resent
        if tried.state not in {"sending", "unknown"}:
            if isinstance(outcome, Accepted):
                heard.add((provider, outcome.upstream_id))
            return isinstance(outcome, Accepted) and outcome.upstream_id != tried.upstream_id
        match outcome:
            case Accepted(upstream_id=found):
                ours = {(t.attempt.provider_id, t.upstream_id) for t in self.tries}
                twice = (provider, found) in ours | heard
                heard.add((provider, found))
                tried.state = "unknown" if twice else "accepted"
                tried.upstream_id = "" if twice else found
            case Rejected(reason=reason) if only_call or reason is not Rejection.KEY:
                tried.state = "settled"
                self.reject(order, provider, reason)
            case Postponed() | NotSent() if only_call:
                tried.state, order.state = "settled", "pending"
            case _:
                tried.state = "unknown"
        return True

    def reject(self, order: Order, provider: ProviderId, reason: Rejection) -> None:
        on = [p for p in self.routes[order.service] if (order.service, p) not in self.closed]
        left = [p for p in on if p not in order.refused | {provider}]
        if reason is Rejection.LINK or not (left or (reason in OURS and provider in on)):
            order.end("refunded", order.quantity)
        else:
            order.state = "pending"
        if reason not in OURS:
            order.refused.add(provider)
        if reason is Rejection.SERVICE:
            self.closed.add((order.service, provider))

    @precondition(lambda self: any(t.upstream_id and t.order.state not in ENDS for t in self.tries))
    @rule(said=st.lists(st.tuples(st.integers(0, 11), REPORTS), min_size=1, max_size=5))
    def report(self, said: list[tuple[int, Report | RowError | None]]) -> None:
        accepted = sorted((t for t in self.tries if t.upstream_id), key=lambda t: t.order.state in ENDS)[:12]
        chosen = {number % len(accepted): report for number, report in said}
        orders.apply_reports(self.conn, {self.tracked(accepted[n]): report for n, report in chosen.items()})
        for n, found in chosen.items():
            if isinstance(found, Report):
                self.follow(accepted[n].order, found)

    def tracked(self, tried: Try) -> Tracked:
        attempt = tried.attempt
        return Tracked(
            submission_id=attempt.submission_id, account_id=attempt.account_id, provider_id=attempt.provider_id,
            upstream_id=tried.upstream_id,
        )  # fmt: skip

    def follow(self, order: Order, report: Report) -> None:
        """Do in the model what a report means."""
        if order.state in ENDS:
            return
        remains = None if report.remains is None else min(max(report.remains, 0), order.quantity)
        match report.state:
            case UpstreamState.IN_PROGRESS:
                order.state = "in_progress"
            case UpstreamState.COMPLETED:
                order.end("completed", 0)
            case UpstreamState.PARTIAL if remains is not None:
                order.end("partial", remains)
            case UpstreamState.CANCELLED if remains:
                order.end("cancelled", remains)
            case UpstreamState.CANCELLED if not report.charge and (report.remains or 0) >= 0:
                order.end("cancelled", order.quantity)
            case UpstreamState.REFUNDED:
                order.end("refunded", order.quantity)

    @rule(seconds=st.sampled_from([0.5, 5, 61, 3600]))
    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.given.later(f"{self.seconds} seconds")

    @rule()
    def abandon(self) -> None:
        late = [t for t in self.tries if t.state == "sending" and t.until <= self.seconds]
        assert orders.abandon_expired(self.conn, resendable={self.panelry}) == len(late)
        for tried in late:
            tried.state = "unknown"

    @rule(classic=st.booleans())
    def resend(self, classic: bool) -> None:  # noqa: FBT001 (drawn)
        provider = self.classic if classic else self.panelry
        lost = {t.attempt.submission_id: t for t in self.tries if t.state == "unknown"}
        for attempt in orders.claim_resends(self.conn, provider, most=10, lease=LEASE):
            assert attempt.provider_id == self.panelry
            tried = lost[attempt.submission_id]
            tried.resent = True
            assert attempt.request_id == tried.attempt.request_id
            assert attempt.parameters == tried.attempt.parameters

    @rule(classic=st.booleans())
    def top_up(self, classic: bool) -> None:  # noqa: FBT001 (drawn)
        provider = self.classic if classic else self.panelry
        providers.record_balance(self.conn, provider, UpstreamBalance(amount=Decimal(5), currency="USD"))

    @rule(accepted=st.integers(0, 8))
    def serve(self, accepted: int) -> None:
        """Do what mostly happens: claim all that waits, and have some of it accepted."""
        self.claim(classic=True, most=10)
        self.claim(classic=False, most=10)
        sending = [n for n, tried in enumerate(self.tries) if tried.state == "sending"][:accepted]
        if sending:
            self.record({n: Accepted(upstream_id=f"new{next(self.numbers)}") for n in sending})

    @invariant()
    def wallets_hold_what_the_model_says(self) -> None:
        held = ledger.balances(self.conn, [customer.account for customer in self.customers])
        assert held == [self.balance(number) for number in range(len(self.customers))]

    @invariant()
    def orders_stand_where_the_model_says(self) -> None:
        asked = [(c.account, list(self.orders)) for c in self.customers]
        found = [status for statuses in orders.statuses(self.conn, asked) for status in statuses]
        assert len(found) == len(self.orders)
        for status in found:
            order = self.orders[status.order_id]
            assert (status.state, status.charge_micros) == (order.state, order.charge - order.refunded)

    @invariant()
    def an_order_is_on_its_way_at_most_once(self) -> None:
        live = [id(t.order) for t in self.tries if t.state in {"sending", "unknown", "accepted"}]
        assert len(live) == len(set(live))

    def teardown(self) -> None:
        try:
            self.given.assert_books()
        finally:
            self._transaction.__exit__(psycopg.Rollback, psycopg.Rollback(), None)


@pytest.mark.timeout(3600)
def test_whatever_happens_in_whatever_order_the_books_are_right(fresh_pool: Pool) -> None:
    examples = max(settings.default.max_examples * 3 // 2, 1)
    run_state_machine_as_test(
        lambda: Books(fresh_pool),
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
