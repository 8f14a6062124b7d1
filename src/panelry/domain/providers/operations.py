"""All that changes providers and the snapshots of their lists."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain import money
from panelry.domain.providers import rules
from panelry.domain.providers.values import (
    ProviderId,
    ProviderNameTaken,
    Rejection,
    UpstreamBalance,
    UpstreamService,
)
from panelry.domain.refusals import TemporaryFailure
from panelry.domain.vault import Vault

SQL = Statements.beside(__file__)
SELF_HEALING = (str(Rejection.KEY), str(Rejection.FUNDS))
"""Pauses that end by themselves once the provider answers a balance again; a person's pause does not."""


def add(conn: Conn, vault: Vault, name: str, *, url: str, key: str, dialect: str = "panel_v2") -> ProviderId:
    """Add a provider. Raises `ProviderNameTaken`, `UnknownDialect` or `InvalidProviderUrl`."""
    rules.dialect(dialect, {})
    rules.check_url(url)
    row = SQL["insert_provider"](conn, name=name, url=url, dialect=dialect).fetchone()
    if row is None:
        raise ProviderNameTaken(name=name)
    SQL["set_key"](conn, id=row[0], sealed_key=vault.seal(key, purpose=f"provider {row[0]}"))
    return ProviderId(row[0])


def move(conn: Conn, provider_id: ProviderId, url: str) -> None:
    """Reach a provider at another address from now on. Raises `InvalidProviderUrl`."""
    rules.check_url(url)
    SQL["set_url"](conn, id=provider_id, url=url)


def pause(conn: Conn, provider_ids: Collection[ProviderId], reason: str) -> None:
    """Send no further orders to these providers; what waits for them goes on waiting."""
    SQL["pause"](conn, ids=list(provider_ids), reason=reason)


def mark_broken(conn: Conn, provider_id: ProviderId, *, seconds: float) -> None:
    """Take a provider for broken for so long, because most calls to it failed: orders go to others meanwhile."""
    SQL["mark_broken"](conn, id=provider_id, wait=timedelta(seconds=seconds))


def record_balance(conn: Conn, provider_id: ProviderId, balance: UpstreamBalance) -> None:
    """Keep what a provider says we have left, and end a pause for a bad key or empty funds that this disproves."""
    micros = money.balance_micros(balance.amount)
    SQL["record_balance"](conn, id=provider_id, balance=micros, currency=balance.currency)
    healed = SELF_HEALING if micros > 0 else SELF_HEALING[:1]
    SQL["resume"](conn, id=provider_id, reasons=list(healed))


def check_list(
    conn: Conn, provider_id: ProviderId, services: Sequence[UpstreamService], *, anyway: bool = False
) -> None:
    """Raise `TemporaryFailure` for a list that is not to be believed.

    That is an empty one, or one without more than half of what the last one had, unless it is believed `anyway`.
    """
    before, still_there = SQL["count_snapshot"](
        conn, id=provider_id, services=[s.service for s in services]
    ).fetchall()[0]
    if not services or (still_there * 2 < before and not anyway):
        raise TemporaryFailure(
            f"the list has {len(services)} services, {still_there} of the {before} known ones: not believed"
        )


def record_snapshot(
    conn: Conn, provider_id: ProviderId, services: Sequence[UpstreamService], *, anyway: bool = False
) -> None:
    """Keep a provider's list as just read, if it is to be believed. Raises as `check_list`."""
    check_list(conn, provider_id, services, anyway=anyway)
    SQL["delete_snapshot"](conn, id=provider_id)
    SQL["insert_snapshot"](
        conn,
        id=provider_id,
        services=[s.service for s in services],
        names=[s.name for s in services],
        types=[s.type for s in services],
        categories=[s.category for s in services],
        rates=[money.cost_micros(s.rate) for s in services],
        minimums=[s.minimum for s in services],
        maximums=[s.maximum for s in services],
        dripfeeds=[s.dripfeed for s in services],
        refills=[s.refill for s in services],
        cancels=[s.cancel for s in services],
        descriptions=[s.description for s in services],
        average_times=[s.average_time for s in services],
    )
    SQL["mark_synced"](conn, id=provider_id)
