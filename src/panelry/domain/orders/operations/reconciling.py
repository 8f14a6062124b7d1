"""Looking for unknown submissions at providers that would buy them again if asked (money-and-lifecycle.md, 5)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import ledger
from panelry.domain.accounts import AccountId
from panelry.domain.money import Micros
from panelry.domain.orders.operations import judging, submitting
from panelry.domain.orders.rules.answers import NOT_REPEATABLE
from panelry.domain.orders.rules.reconciling import (
    CALM,
    LATENESS,
    Look,
    Lookup,
    Mark,
    Rival,
    Sight,
    Surroundings,
    after_look,
    aimed,
    nearby,
)
from panelry.domain.orders.rules.settling import BY_HAND
from panelry.domain.orders.values import SUBSCRIPTIONS, SubmissionId, SubmissionState
from panelry.domain.providers import ProviderId

SQL = Statements(Path(__file__).parents[1] / "statements")
_FIRST_MOMENT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT: Final = datetime(9999, 1, 1, tzinfo=UTC)
_MOST_RIVALS: Final = 100


def claim_lookups(conn: Conn, provider_id: ProviderId, *, most: int, lease: timedelta) -> list[Lookup]:
    """Take unknown submissions at a provider that are due to be looked for, with what to ask about each.

    What the provider shows is for `record_lookup`; a lookup that is never recorded is due again after the lease.
    """
    rows = SQL["claim_lookups"](
        conn, provider_id=provider_id, most=most, lease=lease, not_repeatable=NOT_REPEATABLE
    ).fetchall()
    lookups = [
        Lookup(
            submission_id=SubmissionId(id_),
            account_id=AccountId(account_id),
            provider_id=provider_id,
            looks=looks,
            around=_surroundings(conn, account_id, id_),
        )
        for account_id, id_, looks in rows
    ]
    return [aimed(lookup, taken(conn, provider_id, nearby(lookup.around))) for lookup in lookups]


def record_lookup(conn: Conn, lookup: Lookup, sight: Sight) -> bool:
    """Write what a provider showed of a lookup, and accept the submission where that proves which order is ours.

    Changes nothing, and says so, when an answer, a person or another look was quicker.
    """
    order, submission = judging.lock(conn, [(lookup.account_id, lookup.submission_id)])[lookup.submission_id]
    if submission.state is not SubmissionState.UNKNOWN or submission.attempt != lookup.looks:
        return False
    # In this order: a rival that is accepted after the first statement has seen it is a rival; before, its id is taken.
    rivals = _rivals(conn, lookup)
    owned = taken(conn, lookup.provider_id, lookup.candidates)
    at = ledger.now(conn)
    look = Look(
        order=order, submission=submission, lookup=lookup, sight=sight, rivals=rivals, taken=owned, now=at
    )
    submitting.store(conn, [(lookup.account_id, after_look(look))], at=at)
    return True


def taken(conn: Conn, provider_id: ProviderId, upstream_ids: Sequence[str]) -> set[str]:
    """Return which of these ids belong to submissions at a provider."""
    rows = SQL["taken"](conn, provider_ids=[provider_id] * len(upstream_ids), upstream_ids=list(upstream_ids))
    return {upstream_id for _, upstream_id, _ in rows}


def _surroundings(conn: Conn, account_id: AccountId, id_: SubmissionId) -> Surroundings:
    [row] = SQL["surroundings"](conn, account_id=account_id, id=id_, calm=CALM)
    expected, balance, balance_at, spent, below, sent_at, above, answered_at, odd_ids, set_up_twice = row
    return Surroundings(
        below=None if below is None else Mark(number=below, at=sent_at),
        above=None if above is None else Mark(number=above, at=answered_at),
        expected_micros=None if expected is None else Micros(expected),
        balance_micros=None if balance is None else Micros(balance),
        balance_at=balance_at,
        spent_micros=Micros(spent),
        odd_ids=odd_ids,
        set_up_twice=set_up_twice,
    )


def _rivals(conn: Conn, lookup: Lookup) -> list[Rival]:
    below, above = lookup.around.below, lookup.around.above
    rows = SQL["rivals"](
        conn,
        provider_id=lookup.provider_id,
        id=lookup.submission_id,
        since=below.at - LATENESS if below else _FIRST_MOMENT,
        until=above.at if above else _LAST_MOMENT,
        by_hand=BY_HAND,
        subscriptions=SUBSCRIPTIONS,
        most=_MOST_RIVALS,
    )
    return [Rival(id=SubmissionId(id_), state=SubmissionState(state)) for id_, state in rows]
