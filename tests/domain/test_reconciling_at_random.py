"""Lost orders in any order of events, at a provider that knows the truth: what a look takes for ours is ours."""

from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from submissions import submission
from upstream import LOST, Story, story_of

from given import Given
from panelry.database.pool import Pool
from panelry.domain import orders
from panelry.domain.orders import AcceptedAs, Attempt, Lookup, PayBack, SendAgain, Settlement, Sight
from panelry.domain.providers import Accepted, Rejected, Rejection
from panelry.domain.refusals import Refusal

BY_A_LOOK = "it is the only one that can be ours"
LATE = 3500.0
"""Seconds after the end of a call in which the provider may still make its order: less than we reckon with."""


@dataclass(slots=True)
class Call:
    """One call that is under way, or whose answer was lost at some second."""

    attempt: Attempt
    is_made: bool = False
    lost_at: float | None = None


@dataclass
class World:
    """One provider that others order from, too. People who settle may be wrong; looks may not."""

    story: Story
    calls: list[Call] = field(default_factory=list)
    sights: list[tuple[Lookup, Sight]] = field(default_factory=list)

    def one(self, number: int, *, lost: bool) -> Call | None:
        """Return one of the calls whose answers are lost, or that are under way."""
        found = [call for call in self.calls if (call.lost_at is not None) is lost]
        return found[number % len(found)] if found else None

    def make(self, call: Call) -> None:
        if not call.is_made:
            call.is_made = True
            self.story.upstream.make(call.attempt)

    def true_id(self, call: Call) -> str:
        made = self.story.upstream.made.items()
        return next((id_ for id_, attempt in made if attempt == call.attempt), "5")

    def buy(self, _: int) -> None:
        self.story.bought()

    def send(self, number: int) -> None:
        call = Call(self.story.sent())
        self.calls.append(call)
        if number % 2:
            self.make(call)

    def lose(self, number: int) -> None:
        made = number % 2 == 1
        self.calls.append(Call(self.story.lost(made=made), is_made=made, lost_at=self.story.seconds))

    def lose_what_is_under_way(self, number: int) -> None:
        if call := self.one(number, lost=False):
            self.story.given.answered(call.attempt, LOST)
            call.lost_at = self.story.seconds
            self.story.wait(1)

    def answer_what_is_under_way(self, number: int) -> None:
        if call := self.one(number, lost=False):
            self.make(call)
            self.answer(call)

    def answer_late(self, number: int) -> None:
        if call := self.one(number, lost=True):
            self.answer(call)

    def answer(self, call: Call) -> None:
        """Answer the one call: after that nothing is made of it any more."""
        accepted = Accepted(upstream_id=self.true_id(call))
        outcome = accepted if call.is_made else Rejected(reason=Rejection.LINK, text="bad link")
        self.story.given.answered(call.attempt, outcome)
        self.calls.remove(call)
        self.story.wait(1)

    def make_late(self, number: int) -> None:
        call = self.one(number, lost=True)
        if call and call.lost_at is not None and self.story.seconds - call.lost_at < LATE:
            self.make(call)

    def others(self, number: int) -> None:
        self.story.upstream.last += 1 + number * number

    def wait(self, number: int) -> None:
        self.story.wait((31, 901, 3000)[number % 3])

    def begin_anew(self, _: int) -> None:
        """Let so much time go that what was lost before is no rival any more."""
        self.story.wait(3600)
        self.story.bought()

    def look(self, number: int) -> None:
        self.story.wait((6, 6, 61, 301)[number % 4])
        self.story.looked()

    def look_and_record_later(self, number: int) -> None:
        self.story.wait((6, 61)[number % 2])
        self.sights += [(lookup, self.story.upstream.sight(lookup)) for lookup in self.story.claimed()]

    def record(self, _: int) -> None:
        for lookup, sight in self.sights:
            orders.record_lookup(self.story.conn, lookup, sight)
        self.sights.clear()

    def settle(self, number: int) -> None:
        """Let a person decide, rightly or not; the wrong id is that of another lost order."""
        call, other = self.one(number, lost=True), self.one(number + 1, lost=True)
        if call is None or other is None:
            return
        settlements: list[Settlement] = [
            SendAgain(), PayBack(), AcceptedAs(upstream_id=self.true_id(call)), AcceptedAs(upstream_id=self.true_id(other)),
        ]  # fmt: skip
        try:
            orders.settle(
                self.story.conn, call.attempt.submission_id, settlements[number // 2 % 4], actor="anna"
            )
        except Refusal:
            return
        self.calls += [Call(attempt) for attempt in self.story.given.attempts(self.story.provider)]
        self.story.wait(1)

    def pay_back(self, _: int) -> None:
        orders.pay_back_unknown(self.story.conn, waited=timedelta(hours=2))

    def check(self) -> None:
        """What a look took for ours is ours; what a person took for ours is that person's."""
        for call in self.calls:
            row = submission(self.story.conn, call.attempt)
            if BY_A_LOOK in "".join(row.notes):
                assert row.upstream_id is not None
                assert self.story.upstream.made[row.upstream_id] == call.attempt, row.notes


OFTEN = [
    World.lose,
    World.look,
    World.look,
    World.make_late,
    World.buy,
    World.begin_anew,
    World.look_and_record_later,
]
STEPS = [
    *OFTEN, *OFTEN, World.send, World.lose_what_is_under_way, World.answer_what_is_under_way, World.answer_late,
    World.others, World.wait, World.record, World.settle, World.settle, World.settle, World.pay_back,
]  # fmt: skip


@pytest.mark.timeout(3600)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
@for_all(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 7)), min_size=12, max_size=40))
def test_whatever_is_lost_and_made_late_no_order_is_taken_for_another(
    fresh_pool: Pool, steps: list[tuple[object, int]]
) -> None:
    with fresh_pool.transaction() as conn:
        world = World(story_of(Given(conn)))
        world.story.bought()
        for step, number in steps:
            step(world, number)  # type: ignore[operator]
            world.check()
        world.record(0)
        world.check()
        world.story.given.assert_books()
        raise psycopg.Rollback
