"""What a provider's answer to a submission means (money-and-lifecycle.md, 5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

from panelry.domain import catalog
from panelry.domain.catalog import Route, RouteId
from panelry.domain.ledger import SALES
from panelry.domain.money import ZERO, Micros
from panelry.domain.orders.rules.checks import LOOKS, backoff
from panelry.domain.orders.values import (
    ENGINE,
    Change,
    Order,
    OrderState,
    Submission,
    SubmissionState,
    Verdict,
)
from panelry.domain.providers import (
    Accepted,
    NotSent,
    Outcome,
    Postponed,
    Rejected,
    Rejection,
    Unknown,
)

FIRST_CHECK: Final = timedelta(seconds=1)
NOT_CREATED: Final = "not_created"
"""Why a submission counts as rejected that a person looked into: it may be sent again by the same route."""
NOT_REPEATABLE: Final = "not_repeatable"
"""Why an unknown submission is never sent again but looked for: its provider was told no id to know it by."""
OURS: Final = frozenset({Rejection.KEY, Rejection.FUNDS})
"""Rejections that are our problem: the provider is paused and the order goes elsewhere or waits, it never fails."""
_OPEN: Final = frozenset({SubmissionState.SENDING, SubmissionState.UNKNOWN, SubmissionState.QUARANTINED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What follows from one answer, for the submission, the order, the provider and the route."""

    verdict: Verdict
    change: Change | None = None
    accepted: Accepted | None = None
    pause_for: Rejection | None = None
    close_route: RouteId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A submission with its order, what could be tried instead, and whether asking again is safe.

    `refused` are the routes whose providers definitely refused this very order, `short` those that refused it because
    of our key or funds there. `resendable`: the provider recognises our request id, so that a repeated call is answered
    with the truth; `repetition` says which call was answered. `taken` are upstream ids that belong to other submissions.
    """

    order: Order
    submission: Submission
    routes: Sequence[Route]
    refused: Collection[RouteId]
    short: Collection[RouteId] = frozenset()
    resendable: bool
    repetition: int = 0
    taken: Collection[str]
    now: datetime


def after_outcome(situation: Situation, outcome: Outcome) -> Consequence | None:
    """Decide what an answer means; `None` when the submission is settled already and the answer says nothing new."""
    submission = situation.submission
    if submission.state not in _OPEN or situation.order.state is not OrderState.PROCESSING:
        return _afterthought(situation, outcome)
    if submission.resent:
        return _later_answer(situation, outcome)
    # Nothing was sent twice, so this is the answer to the one call that was made, however late.
    return _first_answer(situation, outcome)


def _first_answer(situation: Situation, outcome: Outcome) -> Consequence:
    match outcome:
        case Accepted():
            return _accepted(situation, outcome)
        case Rejected():
            return _rejected(situation, outcome)
        case Postponed():
            wait = backoff(situation.order.attempt, first=timedelta(seconds=15))
            return _back_to_pending(situation, SubmissionState.POSTPONED, outcome.text, wait)
        case NotSent():
            wait = backoff(situation.order.attempt, first=timedelta(seconds=1))
            return _back_to_pending(situation, SubmissionState.NOT_SENT, outcome.text, wait)
        case Unknown():
            return _still_unknown(situation, outcome.text)
        case _:
            assert_never(outcome)


def _later_answer(situation: Situation, outcome: Outcome) -> Consequence:
    """Judge an answer that arrives when the first one was lost and the call was repeated.

    Only what proves something settles it: a yes to any call, a no to the last. A late no to an earlier one says nothing
    about what came after it. A refused key or a delay is said before the provider looks whether it knows our request
    id, and an unsent repetition says nothing about the first call.
    """
    is_last = situation.repetition == situation.submission.attempt
    match outcome:
        case Accepted():
            return _accepted(situation, outcome)
        case Rejected() if is_last and outcome.reason is not Rejection.KEY:
            return _rejected(situation, outcome)
        case Rejected() | Postponed() | NotSent() | Unknown():
            return _still_unknown(situation, outcome.text)
        case _:
            assert_never(outcome)


def _afterthought(situation: Situation, outcome: Outcome) -> Consequence | None:
    """Keep a yes that contradicts what was settled: it may mean that we bought what we have given up, or bought twice."""
    submission = situation.submission
    if not isinstance(outcome, Accepted) or outcome.upstream_id == submission.upstream_id:
        return None
    verdict = Verdict(
        submission=submission,
        to=submission.state,
        due_at=submission.due_at,
        note=(
            f"THE PROVIDER HAS IT AFTER ALL, with id {outcome.upstream_id}: the customer was paid back, the cost is ours"
            if submission.state is SubmissionState.QUARANTINED
            else f"after this was settled the provider accepted it with id {outcome.upstream_id}"
        ),
        attempt=submission.attempt,
    )
    return Consequence(verdict=verdict)


def _accepted(situation: Situation, outcome: Accepted) -> Consequence:
    if outcome.upstream_id in situation.taken:
        return _still_unknown(situation, f"answered with id {outcome.upstream_id}, which is another order's")
    note = f"accepted with id {outcome.upstream_id}"
    return bought(situation.submission, outcome, now=situation.now, note=note)


def bought(submission: Submission, accepted: Accepted, *, now: datetime, note: str) -> Consequence:
    """Say that the provider has the order: it is followed from now on, and it costs us something."""
    verdict = Verdict(
        submission=submission,
        to=SubmissionState.ACCEPTED,
        due_at=now + FIRST_CHECK,
        note=note,
        upstream_id=accepted.upstream_id,
    )
    return Consequence(verdict=verdict, accepted=accepted)


def _rejected(situation: Situation, outcome: Rejected) -> Consequence:
    order, submission = situation.order, situation.submission
    ours = outcome.reason in OURS
    following = _next_route(situation, outcome.reason)
    facts: dict[str, str | int | None] = {"reason": outcome.reason}
    if following is None:
        change = given_up(order, OrderState.REFUNDED, facts=facts)
    else:
        # A route that was not tried yet is, as soon as it is open; where we were short of funds others go first.
        waits = ours and following.id in {*situation.short, submission.route_id}
        wait = _after_pause(order, outcome.reason) if waits else timedelta()
        change = waiting(order, facts=facts, route=following, due_at=situation.now + wait)
    return Consequence(
        verdict=_settled(situation, SubmissionState.REJECTED, outcome.text, reason=outcome.reason),
        change=change,
        pause_for=outcome.reason if ours else None,
        close_route=submission.route_id if outcome.reason is Rejection.SERVICE else None,
    )


def _after_pause(order: Order, reason: Rejection) -> timedelta:
    """Let others go first once the provider is resumed.

    What is too dear for what we have left there must not pause it again before they had their turn.
    """
    if reason is Rejection.FUNDS:
        return backoff(order.attempt, first=timedelta(minutes=10), longest=timedelta(hours=2))
    return backoff(order.attempt, first=timedelta(seconds=5))


def _next_route(situation: Situation, reason: Rejection) -> Route | None:
    """Return where to try next: nowhere after a bad link, and for a fault of ours in the end the same route again."""
    if reason is Rejection.LINK:
        return None
    current = situation.submission.route_id
    following = catalog.route_for(situation.routes, refused={*situation.refused, current})
    if following is None and reason in OURS:
        return next((route for route in situation.routes if route.id == current), None)
    return following


def _back_to_pending(situation: Situation, to: SubmissionState, text: str, wait: timedelta) -> Consequence:
    change = waiting(situation.order, facts={"reason": str(to)}, due_at=situation.now + wait)
    return Consequence(verdict=_settled(situation, to, text), change=change)


def _still_unknown(situation: Situation, text: str) -> Consequence:
    """Ask again soon where that is safe, else look for it; what is looked for, or in quarantine, stays as it is."""
    submission, now = situation.submission, situation.now
    is_new = submission.state is SubmissionState.SENDING
    due_at = submission.due_at
    if situation.resendable and submission.state is not SubmissionState.QUARANTINED:
        due_at = now + backoff(submission.attempt, first=timedelta(seconds=1))
    elif is_new:
        due_at = now + LOOKS[0]
    verdict = Verdict(
        submission=submission,
        to=SubmissionState.UNKNOWN if is_new else submission.state,
        due_at=due_at,
        note=text if text != submission.message else "",  # the same again is no news
        message=text,
        reason=NOT_REPEATABLE if is_new and not situation.resendable else None,
        attempt=submission.attempt,
    )
    return Consequence(verdict=verdict)


def _settled(situation: Situation, to: SubmissionState, text: str, *, reason: str | None = None) -> Verdict:
    return Verdict(
        submission=situation.submission, to=to, due_at=None, note=text, message=text, reason=reason
    )


def given_up(
    order: Order,
    to: OrderState,
    *,
    facts: Mapping[str, str | int | None],
    actor: str = ENGINE,
    book: str = SALES,
) -> Change:
    """End an order of which nothing was delivered: all that it cost is paid back."""
    return Change(
        order=order,
        to=to,
        refund_micros=Micros(order.charge_micros - order.refunded_micros),
        start_count=order.start_count,
        remains=order.quantity,
        facts=facts,
        actor=actor,
        book=book,
    )


def waiting(
    order: Order,
    *,
    facts: Mapping[str, str | int | None],
    route: Route | None = None,
    due_at: datetime,
    actor: str = ENGINE,
) -> Change:
    """Let an order wait for its next try, unless its customer wants it cancelled: then this is the moment."""
    if order.cancel_requested:
        return given_up(order, OrderState.CANCELLED, facts=facts, actor=actor)
    return Change(
        order=order,
        to=OrderState.PENDING,
        refund_micros=ZERO,
        start_count=order.start_count,
        remains=order.remains,
        facts=facts,
        actor=actor,
        route=(route.id, route.provider_id) if route else None,
        due_at=due_at,
        attempt=order.attempt + 1,
    )
