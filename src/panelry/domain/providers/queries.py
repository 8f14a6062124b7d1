"""What can be asked about providers."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from panelry.database.pool import Conn
from panelry.database.statements import Statements
from panelry.domain.money import Micros
from panelry.domain.providers import rules
from panelry.domain.providers.values import Provider, ProviderId, ProviderNotFound, ProviderState
from panelry.domain.vault import Vault

SQL = Statements.beside(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderReport:
    """A provider with what staff want to see of it; `balance_micros` in its own currency, `None` until it told."""

    provider: Provider
    pause_reason: str
    balance_micros: Micros | None
    balance_at: datetime | None
    synced_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRow:
    """One service of a provider's list as last seen; `rate_micros` in the provider's currency."""

    service: str
    name: str
    type: str
    category: str
    rate_micros: Micros
    minimum: int | None
    maximum: int | None
    dripfeed: bool
    refill: bool
    cancel: bool
    description: str
    average_time: str


def reports(conn: Conn, vault: Vault) -> list[ProviderReport]:
    """Return all providers, with their keys opened, in the order in which they were added."""
    return [
        ProviderReport(
            provider=Provider(
                id=ProviderId(id_),
                name=name,
                url=url,
                key=vault.open(bytes(sealed_key), purpose=f"provider {id_}"),
                dialect=rules.dialect(dialect, msgspec.json.decode(bends)),
                state=ProviderState(state),
                currency=currency,
                max_in_flight=max_in_flight,
                per_second=per_second,
            ),
            pause_reason=pause_reason,
            balance_micros=balance,
            balance_at=balance_at,
            synced_at=synced_at,
        )
        for (
            id_, name, url, sealed_key, dialect, bends, state, pause_reason, currency, max_in_flight, per_second,
            balance, balance_at, synced_at,
        ) in SQL["every_provider"](conn)
    ]  # fmt: skip


def every(conn: Conn, vault: Vault) -> list[Provider]:
    """Return all providers, with their keys opened."""
    return [report.provider for report in reports(conn, vault)]


def never_synced(conn: Conn, vault: Vault) -> list[Provider]:
    """Return the providers whose list was never read."""
    return [report.provider for report in reports(conn, vault) if report.synced_at is None]


def by_name(conn: Conn, vault: Vault, name: str) -> Provider:
    """Find a provider. Raises `ProviderNotFound`."""
    for provider in every(conn, vault):
        if provider.name == name:
            return provider
    raise ProviderNotFound(name=name)


def snapshot(conn: Conn, provider_id: ProviderId) -> list[SnapshotRow]:
    """Return a provider's list as last seen."""
    return [
        SnapshotRow(
            service=service,
            name=name,
            type=type_,
            category=category,
            rate_micros=rate,
            minimum=minimum,
            maximum=maximum,
            dripfeed=dripfeed,
            refill=refill,
            cancel=cancel,
            description=description,
            average_time=average_time,
        )
        for (
            service, name, type_, category, rate, minimum, maximum, dripfeed, refill, cancel, description, average_time,
        ) in SQL["snapshot"](conn, id=provider_id)
    ]  # fmt: skip
