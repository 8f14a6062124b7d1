"""Delivering: which attempts are to be made, and what their results change."""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Row, Statements
from panelry.domain import accounts, ids, letters
from panelry.domain.accounts import AccountId
from panelry.domain.letters import Letter
from panelry.domain.refusals import PermanentFailure
from panelry.domain.vault import Vault
from panelry.domain.webhooks import rules
from panelry.domain.webhooks.operations.registering import disable
from panelry.domain.webhooks.values import (
    Claimed,
    DeliveryState,
    Reason,
    Result,
    Standing,
    Told,
    Verdict,
    WebhookId,
    WebhookState,
)

SQL = Statements(Path(__file__).parents[1] / "statements")
AT_ONCE: Final = 2
"""Attempts that may be under way at one endpoint, over all engines."""
KEPT: Final = timedelta(days=30)
RESPONSE_LIMIT: Final = 4096
"""Bytes that are kept of an endpoint's answer."""
_LONGEST_ERROR: Final = 500

Key = tuple[AccountId, WebhookId, UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoint:
    account_id: AccountId
    url: str
    is_active: bool
    standing: Standing


def claim(conn: Conn, vault: Vault, *, most: int, doubtful: int, lease: timedelta) -> list[Claimed]:
    """Take deliveries that are due; of one endpoint at most two are under way at once, over all engines.

    Of at most `most`, at most `doubtful` are to endpoints that failed last or never took anything: however many of these
    there are, the others get their turn. Only after the commit may the calls be made.
    """
    rows = SQL["lock_ready"](conn, most=most // AT_ONCE, doubtful=doubtful // AT_ONCE, each=AT_ONCE)
    ready = {WebhookId(id_): is_doubtful for id_, is_doubtful in rows}
    if not ready:
        return []
    rows = SQL["claim_deliveries"](conn, webhook_ids=list(ready), each=AT_ONCE, lease=lease)
    return [_claimed(row, vault, is_doubtful=ready[row[1]]) for row in rows]


def record(conn: Conn, results: Mapping[Claimed, Result]) -> None:
    """Write down how attempts went: each is kept, its delivery is over or due again, its endpoint may be disabled.

    A result that comes after another attempt was begun is kept, but decides nothing about the delivery.
    """
    if not results:
        return
    endpoints, at = _lock_endpoints(conn, {claimed.webhook_id for claimed in results})
    attempts = _lock_attempted(conn, list(results))
    standings, reasons = _judge(endpoints, results, at)
    verdicts: dict[Key, Verdict] = {}
    for claimed, result in results.items():
        state, attempt = attempts.get(_key(claimed), (None, 0))
        is_active = endpoints[claimed.webhook_id].is_active and claimed.webhook_id not in reasons
        if state is DeliveryState.SENDING or (state is not None and result.is_success):
            jitter = random.uniform(-1, 1)  # noqa: S311 (spreads load)
            verdict = rules.after_attempt(attempt, result, at=at, jitter=jitter)
            given_up = verdict.to is DeliveryState.WAITING and not is_active
            verdicts[_key(claimed)] = Verdict(to=DeliveryState.EXHAUSTED) if given_up else verdict
    _store(conn, results, verdicts, standings)
    _disable(conn, reasons, endpoints, standings)


def end_abandoned(conn: Conn) -> int:
    """Give up what a lost engine was sending to endpoints that are not active any more; return how much that was."""
    return SQL["end_abandoned"](conn).rowcount


def forget(conn: Conn, *, most: int = 10_000) -> int:
    """Delete deliveries that ended more than 30 days ago, with their attempts; return how many there were."""
    return SQL["forget_deliveries"](conn, kept=KEPT, most=most).rowcount


def _claimed(row: Row, vault: Vault, *, is_doubtful: bool) -> Claimed:
    (
        account_id,
        webhook_id,
        number,
        at,
        event_id,
        type_,
        subject,
        sequence,
        data,
        told_at,
        request_id,
        url,
        *sealed,
    ) = row
    return Claimed(
        account_id=AccountId(account_id),
        webhook_id=WebhookId(webhook_id),
        number=number,
        at=at,
        told=Told(
            event_id=event_id,
            type=type_,
            subject=subject,
            sequence=sequence,
            data=msgspec.json.decode(data),
            at=told_at,
            request_id=request_id,
        ),
        url=url,
        secrets=_opened(vault, WebhookId(webhook_id), [secret for secret in sealed if secret is not None]),
        is_doubtful=is_doubtful,
    )


def _opened(vault: Vault, webhook_id: WebhookId, sealed: Sequence[bytes]) -> tuple[str, ...]:
    """Open the secrets of an endpoint; one that cannot be opened must not keep the others from their deliveries."""
    try:
        return tuple(vault.open(secret, purpose=f"webhook {webhook_id}") for secret in sealed)
    except PermanentFailure:
        return ()


def _key(claimed: Claimed) -> Key:
    return claimed.account_id, claimed.webhook_id, claimed.told.event_id


def _lock_endpoints(
    conn: Conn, webhook_ids: Collection[WebhookId]
) -> tuple[dict[WebhookId, _Endpoint], datetime]:
    rows = SQL["lock_endpoints"](conn, webhook_ids=list(webhook_ids)).fetchall()
    endpoints = {
        WebhookId(id_): _Endpoint(
            account_id=AccountId(account_id),
            url=url,
            is_active=state == WebhookState.ACTIVE,
            standing=Standing(
                failing_since=failing_since,
                last_attempt_at=attempt_at,
                last_result=result,
                last_success_at=success_at,
            ),
        )
        for id_, account_id, url, state, _, failing_since, attempt_at, result, success_at in rows
    }
    return endpoints, rows[0][4]


def _lock_attempted(conn: Conn, claimed: Sequence[Claimed]) -> dict[Key, tuple[DeliveryState, int]]:
    """Lock deliveries of which these are the last attempts; return their states and places in their schedules."""
    rows = SQL["lock_attempted"](
        conn,
        account_ids=[c.account_id for c in claimed],
        webhook_ids=[c.webhook_id for c in claimed],
        event_ids=[c.told.event_id for c in claimed],
        numbers=[c.number for c in claimed],
    )
    return {
        (AccountId(account_id), WebhookId(webhook_id), event_id): (DeliveryState(state), attempt)
        for account_id, webhook_id, event_id, state, attempt in rows
    }


def _judge(
    endpoints: Mapping[WebhookId, _Endpoint], results: Mapping[Claimed, Result], at: datetime
) -> tuple[dict[WebhookId, Standing], dict[WebhookId, Reason]]:
    """Return how endpoints stand after these results, and why some of them are disabled."""
    standings = {id_: endpoint.standing for id_, endpoint in endpoints.items()}
    reasons: dict[WebhookId, Reason] = {}
    for claimed in sorted(results, key=lambda c: c.at + timedelta(milliseconds=results[c].took_milliseconds)):
        id_, result = claimed.webhook_id, results[claimed]
        standings[id_] = rules.after_result(standings[id_], result, at=at)
        reason = rules.disabled_for(standings[id_], result, at=at)
        if reason is not None and endpoints[id_].is_active:
            reasons.setdefault(id_, reason)
    return standings, reasons


def _store(
    conn: Conn,
    results: Mapping[Claimed, Result],
    verdicts: Mapping[Key, Verdict],
    standings: Mapping[WebhookId, Standing],
) -> None:
    SQL["insert_attempts"](
        conn,
        account_ids=[claimed.account_id for claimed in results],
        webhook_ids=[claimed.webhook_id for claimed in results],
        event_ids=[claimed.told.event_id for claimed in results],
        numbers=[claimed.number for claimed in results],
        ats=[claimed.at for claimed in results],
        took_milliseconds=[result.took_milliseconds for result in results.values()],
        statuses=[result.status for result in results.values()],
        errors=[_text(result.error)[:_LONGEST_ERROR] for result in results.values()],
        responses=[
            _text(result.response[:RESPONSE_LIMIT].decode(errors="replace")) for result in results.values()
        ],
    )
    SQL["move_deliveries"](
        conn,
        account_ids=[account_id for account_id, _, _ in verdicts],
        webhook_ids=[webhook_id for _, webhook_id, _ in verdicts],
        event_ids=[event_id for _, _, event_id in verdicts],
        states=[verdict.to for verdict in verdicts.values()],
        due_ats=[verdict.due_at for verdict in verdicts.values()],
    )
    SQL["update_endpoints"](
        conn,
        webhook_ids=list(standings),
        failing_since=[standing.failing_since for standing in standings.values()],
        last_attempt_at=[standing.last_attempt_at for standing in standings.values()],
        last_result=[_text(standing.last_result)[:_LONGEST_ERROR] for standing in standings.values()],
        last_success_at=[standing.last_success_at for standing in standings.values()],
    )


def _disable(
    conn: Conn,
    reasons: Mapping[WebhookId, Reason],
    endpoints: Mapping[WebhookId, _Endpoint],
    standings: Mapping[WebhookId, Standing],
) -> None:
    if not reasons:
        return
    SQL["lock_for_disabling"](
        conn, webhook_ids=list(reasons)
    ).fetchall()  # all at once, in the order of their ids
    for reason in set(reasons.values()):
        disable(conn, [id_ for id_, why in reasons.items() if why is reason], reason=reason)
    for id_, reason in reasons.items():
        endpoint, standing = endpoints[id_], standings[id_]
        assert standing.failing_since is not None
        assert standing.last_attempt_at is not None
        shown, since = ids.show(ids.WEBHOOK, id_), standing.failing_since.isoformat()
        for person in accounts.people(conn, endpoint.account_id):
            letters.write(
                conn,
                Letter(
                    recipient=person,
                    template="webhook_disabled",
                    data={
                        "url": endpoint.url,
                        "webhook": shown,
                        "reason": reason,
                        "since": since,
                        "last_result": standing.last_result,
                    },
                    reference=f"{shown} disabled {standing.last_attempt_at.isoformat()} {person}",
                ),
            )


def _text(text: str) -> str:
    """Make a text one that PostgreSQL can keep."""
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")
