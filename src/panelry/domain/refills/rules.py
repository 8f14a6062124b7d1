"""Who may have a refill, and what a provider's answer means for one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from panelry.domain import orders
from panelry.domain.accounts import AccountId
from panelry.domain.orders import OrderId, OrderNotFound, OrderState
from panelry.domain.providers import (
    RefillOpen,
    RefillRefused,
    RefillReport,
    RefillState,
    RefillTaken,
    Report,
    RowError,
    UpstreamState,
)
from panelry.domain.refills.values import (
    Answer,
    Candidate,
    Change,
    NoAnswer,
    OrderNotEligible,
    Question,
    Refill,
    RefillAlreadyPending,
    RefillId,
    RefillLimitReached,
    RefillPeriodExpired,
    RefillUnavailable,
    Wanted,
)
from panelry.domain.refusals import Refusal

ENDED: Final = frozenset({RefillState.COMPLETED, RefillState.REJECTED})
FIRST_WAIT: Final = timedelta(seconds=2)
FIRST_CHECK: Final = timedelta(seconds=1)
LONGEST_SILENCE: Final = timedelta(hours=24)
LONGEST_REFILL: Final = timedelta(days=14)

Candidates = Mapping[tuple[AccountId, OrderId], Candidate]


def decide(wanted: Sequence[Wanted], found: Candidates, *, at: datetime) -> list[RefillId | Refusal]:
    """Answer each wish in turn with its refill's id, or with the refusal that says why not.

    What one is given counts against the next.
    """
    candidates = dict(found)
    answers: list[RefillId | Refusal] = []
    for wish in wanted:
        key = (wish.account_id, wish.order_id)
        candidate = candidates.get(key)
        if candidate is not None and wish.id in candidate.known:
            answers.append(wish.id)
            continue
        refusal = _refusal(candidate, at)
        answers.append(refusal or wish.id)
        if candidate is not None and refusal is None:
            candidates[key] = replace(candidate, refills=candidate.refills + 1, is_pending=True)
    return answers


def _refusal(candidate: Candidate | None, at: datetime) -> Refusal | None:
    if candidate is None:
        return OrderNotFound()
    if not _is_eligible(candidate):
        return OrderNotEligible()
    if not candidate.has_refill:
        return RefillUnavailable()
    assert candidate.finished_at is not None, "only finished orders are eligible"
    if at > candidate.finished_at + timedelta(days=candidate.refill_days):
        return RefillPeriodExpired()
    if candidate.refills >= candidate.refill_most:
        return RefillLimitReached()
    return RefillAlreadyPending() if candidate.is_pending else None


def _is_eligible(candidate: Candidate) -> bool:
    if not candidate.is_single or candidate.bought_at is None:
        return False
    is_partial = candidate.state is OrderState.PARTIAL and candidate.has_delivered
    return is_partial or candidate.state is OrderState.COMPLETED


def next_question(state: RefillState, upstream_id: str | None) -> Question:
    """Return what to ask the provider about a refill that has not ended."""
    if state is RefillState.PENDING:
        return Question.REFILL
    return Question.ORDER if upstream_id is None else Question.PROGRESS


def after_answer(refill: Refill, asked: Question, answer: Answer, *, at: datetime) -> Change | None:
    """Decide what an answer means; `None` where it comes too late to say anything."""
    if refill.state in ENDED:
        return None
    if next_question(refill.state, refill.upstream_id) is not asked:
        return _late(refill, answer, at)
    match answer:
        case RefillTaken():
            return _taken(refill, answer.upstream_id, at)
        case RefillOpen():
            # Ours, if its answer was lost, or somebody else's: either way the order is being refilled.
            return _taken(refill, None, at)
        case RefillRefused():
            return _ended(refill, RefillState.REJECTED, answer.text)
        case RefillReport():
            return _reported(refill, answer, at)
        case Report():
            return _seen(refill, answer, at)
        case RowError() | NoAnswer():
            return _asked_in_vain(refill, answer.text, at)
        case _:
            assert_never(answer)


def _late(refill: Refill, answer: Answer, at: datetime) -> Change | None:
    """Keep the name of a refill from the slower of two calls that asked for it; nothing else is news any more."""
    is_nameless = next_question(refill.state, refill.upstream_id) is Question.ORDER
    if is_nameless and isinstance(answer, RefillTaken) and answer.upstream_id is not None:
        return _taken(refill, answer.upstream_id, at)
    return None


def _reported(refill: Refill, report: RefillReport, at: datetime) -> Change:
    match report.state:
        case RefillState.COMPLETED:
            return _ended(refill, RefillState.COMPLETED)
        case RefillState.REJECTED:
            return _ended(refill, RefillState.REJECTED, f"the provider says {report.word!r}")
        case RefillState.PENDING | RefillState.IN_PROGRESS:
            return _under_way(refill, at)
        case None:
            return _asked_in_vain(refill, f"the provider's word {report.word!r} is not known", at)
        case _:
            assert_never(report.state)


def _seen(refill: Refill, report: Report, at: datetime) -> Change:
    """Tell by the order how its refill does: it is done when nothing remains, or the provider does not count that."""
    if report.state is UpstreamState.COMPLETED and (report.remains or 0) <= 0:
        return _ended(refill, RefillState.COMPLETED)
    if report.state is None:
        return _asked_in_vain(refill, f"the provider's word {report.word!r} is not known", at)
    return _under_way(refill, at)


def _taken(refill: Refill, upstream_id: str | None, at: datetime) -> Change:
    return Change(refill=refill, to=RefillState.IN_PROGRESS, upstream_id=upstream_id, due_at=at + FIRST_CHECK)


def _under_way(refill: Refill, at: datetime) -> Change:
    age = at - refill.created_at
    if age > LONGEST_REFILL:
        return _ended(refill, RefillState.REJECTED, "the provider did not end it within 14 days")
    return Change(refill=refill, to=refill.state, due_at=at + orders.wait_at(age))


def _asked_in_vain(refill: Refill, text: str, at: datetime) -> Change:
    if _is_hopeless(refill, at):
        return _ended(refill, RefillState.REJECTED, f"given up: {text}")
    return Change(
        refill=refill,
        to=refill.state,
        due_at=at + orders.backoff(refill.attempt, first=FIRST_WAIT),
        attempt=refill.attempt + 1,
        message=text,
    )


def _is_hopeless(refill: Refill, at: datetime) -> bool:
    """Tell whether a refill that nobody took has been asked for in vain for a day, or one that was taken is too old."""
    if refill.state is not RefillState.PENDING:
        return at - refill.created_at > LONGEST_REFILL
    # Counted from the tries, not from its birth: while no engine ran, nobody asked in vain.
    waits = (orders.backoff(number, first=FIRST_WAIT) for number in range(refill.attempt))
    return sum(waits, timedelta()) >= LONGEST_SILENCE


def _ended(refill: Refill, to: RefillState, message: str = "") -> Change:
    return Change(refill=refill, to=to, due_at=None, attempt=refill.attempt, message=message)
