"""Checks of a whole installation; each says what to do when it fails."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from panelry import clock
from panelry.database import health
from panelry.domain import accounts, catalog, letters, orders, providers
from panelry.domain.orders import SubmissionState
from panelry.domain.refusals import PermanentFailure
from panelry.ops.session import Session

OLDEST_SERVER: Final = 150_000
LEAST_DISK: Final = 1_000_000_000
MOST_DRIFT_SECONDS: Final = 5.0
LONGEST_UNKNOWN: Final = timedelta(
    hours=1
)  # a provider that answers has shown long before what there is to see


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    is_well: bool
    advice: str = ""


def examine(session: Session) -> list[Check]:
    """Look at everything; what cannot even be reached raises, as in any command."""
    with session.pool() as pool, pool.connection() as conn:
        return [look(session, conn) for look in _looks()]


def _looks() -> Iterator[Callable[[Session, Any], Check]]:
    yield from (
        _server,
        _schema,
        _durability,
        _clock,
        _disk,
        _keys,
        _paused,
        _discounts,
        _unknown,
        _engine,
        _letters,
        _development,
    )


def _check(name: str, advice: str) -> Check:
    return Check(name=name, is_well=not advice, advice=advice)


def _server(_: Session, conn: Any) -> Check:
    old = conn.info.server_version < OLDEST_SERVER
    return _check("PostgreSQL 15 or newer", f"it is {conn.info.server_version}: upgrade it" if old else "")


def _schema(_: Session, conn: Any) -> Check:
    return _check("database up to date", "" if health.is_current(conn) else "run `panelry migrate`")


def _durability(_: Session, conn: Any) -> Check:
    off = [
        name
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if conn.execute(f"SHOW {name}").fetchone()[0] == "off"
    ]
    return _check(
        "commits are durable", f"turn on {', '.join(off)}: a crash could lose orders" if off else ""
    )


def _clock(_: Session, conn: Any) -> Check:
    drift = abs((clock.now() - conn.execute("SELECT clock_timestamp()").fetchone()[0]).total_seconds())
    advice = f"they differ by {drift:.1f} s: set up NTP on both" if drift > MOST_DRIFT_SECONDS else ""
    return _check("clocks of machine and database agree", advice)


def _disk(session: Session, _: Any) -> Check:
    free = shutil.disk_usage(session.settings.data).free
    return _check("room on the disk", f"only {free // 10**6} MB are free" if free < LEAST_DISK else "")


def _keys(session: Session, conn: Any) -> Check:
    try:
        providers.every(conn, session.vault)
    except PermanentFailure as failure:
        return _check("provider keys can be opened", str(failure))
    return _check("provider keys can be opened", "")


def _paused(session: Session, conn: Any) -> Check:
    """Find providers that were paused because of a fault; one that a person paused is as it should be."""
    faulty = [
        f"{report.provider.name} ({report.pause_reason})"
        for report in providers.reports(conn, session.vault)
        if report.pause_reason in set(providers.Rejection)
    ]
    return _check(
        "no provider is paused for a fault",
        f"{', '.join(faulty)}: top up or renew our key there" if faulty else "",
    )


def _discounts(_: Session, conn: Any) -> Check:
    """Find tiers that buy below cost, which an operator may want; a service says so by `below_cost=true`."""
    counts = {
        tier.name: catalog.count_below_cost(conn, tier.discount_percent) for tier in accounts.tiers(conn)
    }
    found = ", ".join(f"{count} for {name}" for name, count in counts.items() if count)
    advice = f"services that are: {found}; raise rates, lower discounts, or allow it" if found else ""
    return _check("no discount sells below cost", advice)


def _unknown(_: Session, conn: Any) -> Check:
    waiting = len(orders.submissions_in(conn, [SubmissionState.QUARANTINED]))
    unknown = orders.submissions_in(conn, [SubmissionState.UNKNOWN])
    since = clock.now() - LONGEST_UNKNOWN
    waiting += sum(datetime.fromisoformat(row["sent_at"]) < since for row in unknown)
    return _check(
        "no order waits for a person", f"{waiting} waiting: see `panelry submissions`" if waiting else ""
    )


def _engine(_: Session, conn: Any) -> Check:
    age = health.engine_age(conn)
    asleep = age is None or age > 10
    return _check("an engine is at work", "run `panelry up`, or `panelry work`" if asleep else "")


def _letters(session: Session, conn: Any) -> Check:
    waiting = letters.backlog(conn).waiting
    missing = waiting and not session.settings.mail_url
    return _check(
        "letters go out", f"{waiting} wait for a mail server: set PANELRY_MAIL_URL" if missing else ""
    )


def _development(session: Session, _: Any) -> Check:
    on = session.settings.development
    return _check("development mode is off", "unset PANELRY_DEVELOPMENT on a public machine" if on else "")
