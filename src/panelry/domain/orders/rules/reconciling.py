"""Looking for an unknown submission among the ids that its provider handed out, and when one of them is surely ours.

Why each of the conditions: docs/decisions/0014-when-an-order-is-adopted.md.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from panelry.domain import ids, money
from panelry.domain.accounts import AccountId
from panelry.domain.money import Micros
from panelry.domain.orders.rules.answers import Consequence, bought
from panelry.domain.orders.rules.checks import LOOKS, look_again, next_look
from panelry.domain.orders.values import (
    SUBSCRIPTIONS,
    Order,
    Submission,
    SubmissionId,
    SubmissionState,
    Verdict,
)
from panelry.domain.providers import Accepted, ProviderId, Report, RowError

MOST_CANDIDATES: Final = 80
MOST_STRANGERS: Final = 19
REACH: Final = 1000
"""How far from an order of ours ids are worth a question."""
LATENESS: Final = timedelta(hours=1)
"""How long after the end of a call a provider may still make the order of it."""
CALM: Final = timedelta(seconds=30)
"""How long an order is unknown before what is sent later is taken to have a higher id."""
_OFF_PERCENT: Final = 2
_COARSEST: Final = Decimal("0.01")
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An order of ours whose id the provider itself named, and a moment before or after which others came."""

    number: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is known around an unknown submission; money in the provider's currency.

    `below` is the last order named before it was sent, with when that was sent; `above` the first that was sent when
    it had been unknown for a while, with when that was named. `balance_micros` is from before it was sent, `spent_micros`
    what accepted orders cost since. `odd_ids`: not all ids there are numbers. `set_up_twice`: another provider of ours
    has the same address.
    """

    below: Mark | None
    above: Mark | None
    expected_micros: Micros | None
    balance_micros: Micros | None
    balance_at: datetime | None
    spent_micros: Micros
    odd_ids: bool
    set_up_twice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """One unknown submission to look for, and what to ask its provider; `looks` counts those that were answered.

    One of the `candidates` may be it. `strangers` are none of ours and should be told to nobody but their owners;
    `witness` is ours and must be told, else silence proves nothing. `hopeless` says why there is nothing to ask for.
    """

    submission_id: SubmissionId
    account_id: AccountId
    provider_id: ProviderId
    looks: int
    around: Surroundings
    candidates: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    witness: str = ""
    hopeless: str = ""

    @property
    def asked(self) -> list[str]:
        """Return the ids to ask for, at most 100; the witness last, so that its answer vouches for all before it."""
        return [*self.strangers, *self.candidates, self.witness] if self.candidates else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a provider showed when it was asked about a lookup; `said` is `None`, with the `failure`, where nothing."""

    said: Mapping[str, Report | RowError] | None
    balance_micros: Micros | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another submission at the provider that may have been given an id between the same two orders of ours."""

    id: SubmissionId
    state: SubmissionState


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look with all that has to be weighed. `taken` are ids that belong to submissions by now."""

    order: Order
    submission: Submission
    lookup: Lookup
    sight: Sight
    rivals: Sequence[Rival]
    taken: Collection[str]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doubt:
    """Why what was found may not be ours; one that `passes` is gone in a moment."""

    text: str
    passes: bool = False


def nearby(around: Surroundings) -> list[str]:
    """Return the ids of which must be known whether they are ours, before `aimed`."""
    if around.below is None or around.odd_ids:
        return []
    return [str(n) for n in range(max(around.below.number - REACH, 1), _end(around.below, around))]


def aimed(lookup: Lookup, ours: Collection[str]) -> Lookup:
    """Decide what to ask for; `ours` are those of the ids nearby that belong to submissions."""
    around = lookup.around
    if around.odd_ids:
        return replace(lookup, hopeless="the provider's ids are not numbers")
    if around.below is None:
        return replace(lookup, hopeless="no order of ours was taken there lately before it")
    below, end = around.below.number, _end(around.below, around)
    free = [str(n) for n in range(below + 1, end) if str(n) not in ours]
    if around.above is not None and (around.above.number > end or len(free) > MOST_CANDIDATES):
        gap = around.above.number - below - 1
        return replace(lookup, hopeless=f"{gap} ids lie between our orders {below} and {around.above.number}")
    if not free:
        return replace(lookup, hopeless=f"every id from {below} up to our next order is another order's")
    strangers = [str(n) for n in range(below - 1, max(below - REACH, 1) - 1, -1) if str(n) not in ours]
    return replace(
        lookup,
        candidates=tuple(free[:MOST_CANDIDATES]),
        strangers=tuple(strangers[:MOST_STRANGERS]),
        witness=str(below),
    )


def after_look(look: Look) -> Consequence:
    """Decide what a look proves: it is ours, or it has to be looked for again, or a person has to decide.

    It is ours only where it is the one order that we are told of and that nobody else can account for.
    """
    said = look.sight.said
    if said is None:
        return _again(look, note=f"looked for it, but: {look.sight.failure}")
    found = _reports(said, [id_ for id_ in look.lookup.candidates if id_ not in look.taken])
    doubts = list(_doubts(look, said, found))
    seen = _seen(look, found, doubts)
    if len(found) == 1 and not doubts:
        [(upstream_id, report)] = found.items()
        accepted = Accepted(upstream_id=upstream_id, charge=report.charge)
        note = f"{seen}; it is the only one that can be ours: accepted with id {upstream_id}"
        return bought(look.submission, accepted, now=look.now, note=note)
    if found and all(doubt.passes for doubt in doubts):
        return _again(look, note=seen)
    return _next(look, seen)


def fits(order: Order, report: Report, expected: Micros | None) -> bool:
    """Tell whether a report can be about this order: what it costs is told and right, and no more remains than was bought.

    Right is within 2 %, or within what the provider rounds away.
    """
    if expected is None or report.state is None or report.charge is None:
        return False
    if report.posts_done is not None and order.type != SUBSCRIPTIONS:
        return False
    last_place = Decimal(1).scaleb(int(report.charge.as_tuple().exponent))
    tolerance = max(expected * _OFF_PERCENT // 100, money.cost_micros(min(last_place, _COARSEST)))
    is_right = abs(money.cost_micros(report.charge) - expected) <= tolerance
    return is_right and (report.remains is None or report.remains <= order.quantity)


def _end(below: Mark, around: Surroundings) -> int:
    """Return the id before which candidates end."""
    end = below.number + REACH + 1
    return end if around.above is None else min(end, around.above.number)


def _doubts(
    look: Look, said: Mapping[str, Report | RowError], found: Mapping[str, Report]
) -> Iterable[_Doubt]:
    lookup = look.lookup
    if lookup.asked and not _reports(said, [lookup.witness]):
        yield _Doubt(text=f"our own order {lookup.witness} was not told, so that silence proves nothing")
    strangers = _reports(said, lookup.strangers)
    if strangers:
        yield _Doubt(text=f"orders that are none of ours were told, too: {_some(strangers)}")
    if not found:
        return
    if len(found) > 1:
        yield _Doubt(text="only one of them can be it")
    unfit = [
        id_ for id_, report in found.items() if not fits(look.order, report, lookup.around.expected_micros)
    ]
    if unfit:
        yield _Doubt(
            text=f"it should cost {_text(lookup.around.expected_micros)}, which {_some(unfit)} does not fit"
        )
    if lookup.around.set_up_twice:
        yield _Doubt(text="the same panel is set up as another provider, too, whose order it may be")
    for rivals, passes in (
        ([r for r in look.rivals if r.state is not SubmissionState.SENDING], False),
        ([r for r in look.rivals if r.state is SubmissionState.SENDING], True),
    ):
        if rivals:
            names = _some(f"{ids.show(ids.SUBMISSION, r.id)} ({r.state})" for r in rivals)
            yield _Doubt(text=f"it may as well belong to {names}", passes=passes)


def _reports(said: Mapping[str, Report | RowError], asked: Iterable[str]) -> dict[str, Report]:
    return {id_: row for id_ in asked if isinstance(row := said.get(id_), Report)}


def _next(look: Look, note: str) -> Consequence:
    """Go to the next rung; after the last one, and where none can tell more, a person has to decide."""
    assert look.submission.unknown_at is not None
    looks = look.lookup.looks + 1
    due_at = None if look.lookup.hopeless else next_look(look.submission.unknown_at, looks, look.now)
    return _left(look, note, due_at=due_at, looks=looks)


def _again(look: Look, *, note: str) -> Consequence:
    """Stay on this rung: what was seen says nothing yet."""
    assert look.submission.unknown_at is not None
    due_at = look_again(look.submission.unknown_at, look.now)
    note = note if due_at else f"{note}; that has gone on for hours"
    return _left(look, note, due_at=due_at, looks=look.lookup.looks)


def _left(look: Look, note: str, *, due_at: datetime | None, looks: int) -> Consequence:
    submission = look.submission
    note = note if due_at else f"{note}; now a person has to decide"
    verdict = Verdict(
        submission=submission,
        to=SubmissionState.UNKNOWN if due_at else SubmissionState.QUARANTINED,
        due_at=due_at,
        note=note if note != submission.message else "",  # the same again is no news
        message=note,
        attempt=looks,
    )
    return Consequence(verdict=verdict)


def _seen(look: Look, found: Mapping[str, Report], doubts: Iterable[_Doubt]) -> str:
    """Write down what a look showed, for whoever may have to decide."""
    lookup = look.lookup
    if lookup.hopeless:
        asked = f"nothing to look for: {lookup.hopeless}"
    else:
        asked = (
            f"look {lookup.looks + 1} of {len(LOOKS)}: of {len(lookup.candidates)} ids from {lookup.candidates[0]} "
            f"to {lookup.candidates[-1]} we are told of {_some(map(_shown, found.items())) or 'none'}"
        )
    return "; ".join([asked, *(doubt.text for doubt in doubts), _balance(lookup.around, look.sight)])


def _shown(found: tuple[str, Report]) -> str:
    id_, report = found
    charge = "?" if report.charge is None else f"{report.charge:f}"
    remains = "?" if report.remains is None else report.remains
    return f"{id_} ({report.word[:40]}, charge {charge}, remains {remains})"


def _balance(around: Surroundings, sight: Sight) -> str:
    if sight.balance_micros is None:
        return "the balance was not told"
    if around.balance_micros is None or around.balance_at is None:
        return f"the balance is {_text(sight.balance_micros)}, none is known from before it was sent"
    missing = around.balance_micros - sight.balance_micros - around.spent_micros
    return (
        f"the balance was {_text(around.balance_micros)} at {around.balance_at:%Y-%m-%d %H:%M:%S %Z}, is "
        f"{_text(sight.balance_micros)}, and accepted orders explain {_text(around.spent_micros)}: "
        f"{_text(missing)} is unexplained, this order costs {_text(around.expected_micros)}"
    )


def _text(amount: int | None) -> str:
    return "?" if amount is None else money.text(amount)


def _some(things: Iterable[str]) -> str:
    listed = list(things)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
