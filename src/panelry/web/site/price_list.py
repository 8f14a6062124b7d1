"""The price list as public pages read it: kept in memory for as long as the catalogue does not change.

Six thousand services are searched here in a few milliseconds, and a request asks the database one row: the revision.
"""

import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction

from panelry.database.pool import lent
from panelry.domain import catalog
from panelry.domain.catalog import Listing, ServiceId

PLATFORMS: Final = (
    "Instagram", "TikTok", "YouTube", "Facebook", "Telegram", "Spotify", "SoundCloud", "LinkedIn", "Threads", "Twitch",
    "Discord", "Snapchat", "Pinterest", "Reddit", "WhatsApp", "Twitter", "Deezer", "Shazam", "Apple Music", "Audiomack",
    "Clubhouse", "Quora", "Tumblr", "Vimeo", "Dailymotion", "Rumble", "Kick", "Bluesky", "Google", "VK", "X",
)  # fmt: skip
"""Platforms by the word that names them in a category or, where that names none, in the service."""
_PLATFORM: Final = re.compile(rf"(?<!\w)({'|'.join(PLATFORMS)})(?!\w)", re.IGNORECASE)
_NAMED: Final = {name.lower(): name for name in PLATFORMS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A service on sale, the text that searches look at, and the platform that it names, if any."""

    listing: Listing
    words: str
    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """All services on sale, in their order. `categories` and `platforms` tell how many services each has."""

    revision: int
    changed_at: datetime | None
    entries: tuple[Entry, ...]
    by_id: dict[ServiceId, Entry]
    categories: dict[str, int]
    platforms: dict[str, int]
    types: tuple[str, ...]


_lock: Final = threading.Lock()
_kept: dict[str, PriceList] = {}


def current() -> PriceList:
    """Return the price list, never older than the last change of the catalogue that was committed."""
    database = str(connection.settings_dict["NAME"])
    with transaction.atomic(), lent(connection) as conn:
        revision = catalog.revision(conn)
        known = _kept.get(database)
        if known is not None and known.revision == revision:
            return known
        with _lock:  # whoever comes meanwhile waits for the same list
            known = _kept.get(database)
            if known is None or known.revision < revision:
                last = catalog.updates(conn, most=1)
                known = _made(revision, catalog.listings(conn), last[0].at if last else None)
                _kept[database] = known
    return known


def folded(text: str) -> str:
    """Return a text as searches compare it: without case, accents, vowel signs or styles; İ, I and ı are one letter."""  # noqa: RUF002
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))  # noqa: RUF001 (Turkish)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _made(revision: int, listings: Sequence[Listing], changed_at: datetime | None) -> PriceList:
    entries = tuple(
        Entry(
            listing=one,
            words=f"{one.id} {folded(one.name)} {folded(one.category)}",
            platform=_platform(one),
        )
        for one in listings
    )
    platforms = Counter(entry.platform for entry in entries if entry.platform)
    return PriceList(
        revision=revision,
        changed_at=changed_at,
        entries=entries,
        by_id={entry.listing.id: entry for entry in entries},
        categories=dict(Counter(entry.listing.category for entry in entries)),
        platforms={name: platforms[name] for name in sorted(platforms)},
        types=tuple(sorted({entry.listing.type for entry in entries})),
    )


def _platform(listing: Listing) -> str:
    found = _PLATFORM.search(unicodedata.normalize("NFKC", listing.category)) or _PLATFORM.search(
        unicodedata.normalize("NFKC", listing.name)
    )
    return _NAMED[found[1].lower()] if found else ""
