"""One example of the machine: the market, what is expected of it, the providers, and what the program has done so far."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final

import laws
import psycopg
from bought import FATES, Seller
from expected import IN_QUESTION, Answer, Expected, Order, Try
from market import CUSTOMERS, RECOGNISES, Market, Wish

from given import LEASE, Given
from panelry.database.pool import Pool
from panelry.domain import ledger, orders
from panelry.domain.ledger import ReferenceReused
from panelry.domain.money import Micros
from panelry.domain.orders import Attempt, OrderId, Placed, SubmissionId, Tracked
from panelry.domain.providers import Report, RowError

ALL: Final = 100
"""How much of what is due is claimed: all of it, because which part comes first is the database's free choice."""


class Life:
    """Everything happens in one transaction that is never committed; `now` is the time since it began, in seconds."""

    def __init__(self, pool: Pool, market: Market, *, usual: str) -> None:
        """Begin; `usual` is the fate of calls of which nothing else is said."""
        self._transaction = pool.transaction()
        self.conn = self._transaction.__enter__()
        self.given = Given(self.conn)
        self.market = market
        self.usual = usual
        self.sellers = [
            Seller(id_, recognises=number == RECOGNISES, tells_all=number == 1)
            for number, id_ in enumerate(market.sellers)
        ]
        self.resendable = {market.sellers[RECOGNISES]}
        self.expected = Expected(deposits=[{} for _ in range(CUSTOMERS)])
        self.seen = laws.seen(self.conn, market)

    def close(self) -> None:
        """Forget everything."""
        self._transaction.__exit__(psycopg.Rollback, psycopg.Rollback(), None)

    def check(self) -> None:
        """Hold the database against what is expected, and against itself one step ago."""
        before, self.seen = self.seen, laws.seen(self.conn, self.market)
        laws.check(self.seen, before, self.expected, self.market)

    def wait(self, seconds: float) -> None:
        self.expected.now += seconds
        self.given.later(f"{self.expected.now} seconds")

    def deposit(self, customer: int, micros: int, reference: str) -> None:
        """Pay money in; a reference that was used before is the same deposit, or refused."""
        booked = self.expected.deposits[customer]
        entry = partial(ledger.credit, self.conn, self.market.customers[customer].account, Micros(micros))
        try:
            entry(source=ledger.deposit("card"), reason="deposit", actor="staff", reference=reference)
        except ReferenceReused:
            assert booked[reference] != micros
        else:
            assert booked.setdefault(reference, micros) == micros

    def place(self, wishes: Sequence[Wish]) -> None:
        """Place a set, and hold each answer against what was expected of it."""
        answers = orders.place(self.conn, [self.market.draft(wish) for wish in wishes])
        for wish, answer in zip(wishes, answers, strict=True):
            known = self.expected.requests.get((wish.customer, wish.request))
            due = self.expected.judge(wish)
            if known is not None:
                id_, first = known
                if self.market.draft(wish) == self.market.draft(first):
                    assert answer == Placed(
                        account_id=self.market.customers[wish.customer].account, order_id=id_, replayed=True
                    )
                else:
                    assert type(answer).__name__ == "RequestIdReused"
            elif isinstance(due, Order):
                assert isinstance(answer, Placed), answer
                assert not answer.replayed
                self.expected.place(wish, answer.order_id, due)
            else:
                assert type(answer).__name__ == due

    # Sending

    def send(self, number: int, fates: Sequence[str]) -> None:
        """Claim all that waits for a seller, make the calls, and record what is answered at once."""
        seller, expected = self.sellers[number], self.expected
        [[state]] = self.conn.execute("SELECT state FROM providers WHERE id = %s", [seller.id]).fetchall()
        attempts = orders.claim_submissions(self.conn, seller.id, most=ALL, lease=LEASE)
        assert state == "active" or not attempts
        until = expected.now + LEASE.total_seconds()
        new = [Try(attempt, order, number, until) for attempt, order in self._bought_for(attempts)]
        for tried in new:
            assert tried.order.state == "pending"
            tried.order.state = "processing"
        expected.tries += new
        self._call(new, fates)

    def _bought_for(self, attempts: Sequence[Attempt]) -> list[tuple[Attempt, Order]]:
        """Return attempts with what they are to buy, in the order in which that was placed."""
        if not attempts:
            return []
        query = "SELECT order_id, id FROM submissions WHERE id = ANY (%s)"
        rows = self.conn.execute(query, [[attempt.submission_id for attempt in attempts]])
        wanted: dict[OrderId, SubmissionId] = dict(rows.fetchall())
        known = {attempt.submission_id: attempt for attempt in attempts}
        return [(known[wanted[id_]], order) for id_, order in self.expected.orders.items() if id_ in wanted]

    def resend(self, number: int, fates: Sequence[str]) -> None:
        """Ask again about lost calls where that is safe."""
        attempts = orders.claim_resends(self.conn, self.sellers[number].id, most=ALL, lease=LEASE)
        assert not attempts or number == RECOGNISES
        again = {attempt.submission_id: attempt for attempt in attempts}
        lost = [t for t in self.expected.tries if t.attempt.submission_id in again]
        assert len(lost) == len(attempts)
        for tried in lost:
            repeated = replace(tried.attempt, repetition=len(tried.calls))
            assert tried.state == "unknown"
            assert again[tried.attempt.submission_id] == repeated
        self._call(lost, fates)

    def _call(self, tries: Sequence[Try], fates: Sequence[str]) -> None:
        told: dict[Try, Answer] = {}
        for place, tried in enumerate(tries):
            fate = FATES[fates[place] if place < len(fates) else self.usual]
            seller = self.sellers[tried.seller]
            known = [t.upstream_id for t in self.expected.tries if t.upstream_id and t.seller == tried.seller]
            tried.id, answer = seller.call(tried.order, tried.attempt.request_id, fate, known)
            tried.calls.append(answer)
            if fate.at_once:
                told[tried] = (len(tried.calls) - 1, answer)
        self.hear(told)

    def hear(self, told: Mapping[Try, Answer]) -> None:
        """Record what became of calls."""
        counted = orders.record_outcomes(
            self.conn,
            {(t.attempt.account_id, t.attempt.submission_id): outcome for t, (_, outcome) in told.items()},
            resendable=self.resendable,
            repetitions={t.attempt.submission_id: call for t, (call, _) in told.items()},
        )
        assert counted == self.expected.hear(told.items())
        self.add_up(tried.order for tried in told)

    def abandon(self) -> None:
        late = [t for t in self.expected.tries if t.state == "sending" and t.until <= self.expected.now]
        assert orders.abandon_expired(self.conn, resendable=self.resendable) == len(late)
        for tried in late:
            tried.doubt(self.expected.now)

    # Following

    def report(
        self,
        said: dict[Try, Report | RowError | None],
        claimed: Mapping[SubmissionId, Tracked] = MappingProxyType({}),
    ) -> None:
        """Apply what is said of accepted orders; of those that were claimed, as the engine does."""
        answers = {
            claimed.get(tried.attempt.submission_id) or self._tracked(tried): report
            for tried, report in said.items()
        }
        orders.apply_reports(self.conn, orders.ask_later(self.conn, answers))
        for tried, report in said.items():
            if isinstance(report, Report):
                tried.order.hear(report, self.expected.now)
        self.add_up(tried.order for tried in said)

    def follow(self, number: int, report: Callable[[Try], Report | RowError | None]) -> None:
        """Ask a seller about all orders whose turn it is."""
        claimed = orders.claim_tracking(self.conn, self.sellers[number].id, most=ALL, lease=LEASE)
        due = {tracked.submission_id: tracked for tracked in claimed}
        self.report({t: report(t) for t in self.accepted if t.attempt.submission_id in due}, due)

    def _tracked(self, tried: Try) -> Tracked:
        attempt = tried.attempt
        return Tracked(
            submission_id=attempt.submission_id, account_id=attempt.account_id, provider_id=attempt.provider_id,
            upstream_id=tried.upstream_id,
        )  # fmt: skip

    def add_up(self, changed: Iterable[Order]) -> None:
        """Bring the drip-feeds of runs that may have changed into line with them."""
        for parent in {order.parent for order in changed if order.parent}:
            parent.add_up(self.expected.now)

    def make_runs(self) -> None:
        """Make the runs that are due, one for each drip-feed."""
        expected = self.expected
        due = [o for o in expected.orders.values() if o.due is not None and o.due <= expected.now]
        assert orders.make_runs(self.conn) == len(due)
        rows = (
            self.conn.execute("SELECT parent_id, run, id FROM orders WHERE run > 0").fetchall() if due else []
        )
        made = {(parent, number): id_ for parent, number, id_ in rows}
        names = {order: id_ for id_, order in expected.orders.items()}
        for order in due:
            order.due = expected.now + order.interval
            run = Order(
                customer=order.customer,
                item=order.item,
                quantity=order.quantity // order.runs,
                charge=order.charge // order.runs,
                parent=order,
            )
            order.made.append(run)
            expected.orders[made[names[order], len(order.made)]] = run
            if len(order.made) == order.runs:
                order.due = None
            if not expected.sellers(order.item):
                run.end("cancelled", expected.now, remains=run.quantity)
                order.add_up(expected.now)

    @property
    def singles(self) -> list[Order]:
        """Return what is sent to providers: runs, and orders without."""
        return [order for order in self.expected.orders.values() if order.runs == 1]

    @property
    def in_question(self) -> list[Try]:
        return [t for t in self.expected.tries if t.state in IN_QUESTION]

    @property
    def accepted(self) -> list[Try]:
        """Return what is followed."""
        return [t for t in self.expected.tries if t.state == "accepted"]
