"""The ends of an unknown submission that nothing proved: a person decides, or its customer has waited long enough."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from msgspec import structs

from panelry.domain.ledger import SUSPENSE
from panelry.domain.money import ZERO, Micros
from panelry.domain.orders.rules.answers import NOT_CREATED, Consequence, bought, given_up, waiting
from panelry.domain.orders.values import Order, OrderState, Submission, SubmissionState, Verdict
from panelry.domain.providers import Accepted
from panelry.domain.refusals import OperatorRefusal

IN_QUESTION: Final = frozenset({SubmissionState.UNKNOWN, SubmissionState.QUARANTINED})
BY_HAND: Final = "by_hand"
"""Why a submission counts as accepted on a person's word alone: its id proves nothing about others."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedAs:
    """The provider has the order, under this id."""

    upstream_id: str


@dataclass(frozen=True, slots=True)
class SendAgain:
    """The provider never made the order: buy it again, by the same route if that is still the best."""


@dataclass(frozen=True, slots=True)
class PayBack:
    """The provider never made the order: give the customer the money back."""


Settlement = AcceptedAs | SendAgain | PayBack


class NoSuchSubmission(OperatorRefusal):
    """It was refused because there is no submission with this id."""


class NotInQuestion(OperatorRefusal):
    """It was refused because the outcome of this submission is known."""


class InvalidUpstreamId(OperatorRefusal):
    """It was refused because this cannot be a provider's id of an order."""


class UpstreamIdTaken(OperatorRefusal):
    """It was refused because this id belongs to another submission at the same provider."""


class AlreadyPaidBack(OperatorRefusal):
    """It was refused because the customer was paid back already; place a new order instead."""


def after_settlement(
    order: Order,
    submission: Submission,
    settlement: Settlement,
    *,
    actor: str,
    now: datetime,
    taken: Collection[str],
) -> Consequence:
    """Return what a person's decision means. `taken` are ids that belong to other submissions at the provider.

    Raises `NotInQuestion`, `InvalidUpstreamId`, `UpstreamIdTaken`, and `AlreadyPaidBack` for what cannot be sent again.
    """
    if submission.state not in IN_QUESTION:
        raise NotInQuestion(state=submission.state)
    facts = {"reason": NOT_CREATED}
    match settlement:
        case AcceptedAs(upstream_id=upstream_id):
            if not _ID.fullmatch(upstream_id):
                raise InvalidUpstreamId
            if upstream_id in taken:
                raise UpstreamIdTaken(upstream_id=upstream_id)
            note = f"{actor}: the provider has it, with id {upstream_id}"
            consequence = bought(submission, Accepted(upstream_id=upstream_id), now=now, note=note)
            return replace(consequence, verdict=structs.replace(consequence.verdict, reason=BY_HAND))
        case SendAgain():
            if order.state is not OrderState.PROCESSING:
                raise AlreadyPaidBack
            change = waiting(order, facts=facts, due_at=now, actor=actor)
            return Consequence(verdict=_never_made(submission, f"{actor}: send it again"), change=change)
        case PayBack():
            verdict = _never_made(submission, f"{actor}: pay the customer back")
            if order.state is not OrderState.PROCESSING:
                return Consequence(verdict=verdict)
            change = given_up(order, OrderState.REFUNDED, facts=facts, actor=actor)
            return Consequence(verdict=verdict, change=change)
        case _:
            assert_never(settlement)


def after_waiting(order: Order, submission: Submission, *, waited: timedelta) -> Consequence | None:
    """Pay the customer back out of suspense when nobody knows the outcome for so long; a person still has to find out.

    `None` where something has settled it meanwhile.
    """
    if submission.state not in IN_QUESTION or order.state is not OrderState.PROCESSING:
        return None
    hours = waited / timedelta(hours=1)
    verdict = Verdict(
        submission=submission,
        to=SubmissionState.QUARANTINED,
        due_at=None,
        note=f"unknown for {hours:g} h: the customer was paid back, what this may cost stands in suspense",
        attempt=submission.attempt,
    )
    change = given_up(order, OrderState.REFUNDED, facts={"reason": "unknown"}, book=SUSPENSE)
    return Consequence(verdict=verdict, change=change)


def in_suspense(order: Order, submission: Submission) -> Micros:
    """Return what stands in suspense for a submission in question: what `after_waiting` paid back."""
    is_paid_back = submission.state in IN_QUESTION and order.state is OrderState.REFUNDED
    return order.refunded_micros if is_paid_back else ZERO


def _never_made(submission: Submission, note: str) -> Verdict:
    return Verdict(
        submission=submission, to=SubmissionState.REJECTED, due_at=None, note=note, reason=NOT_CREATED
    )
