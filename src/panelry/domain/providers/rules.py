"""How a provider's stored data becomes a dialect, and which addresses a provider may have."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from panelry.domain.providers.values import (
    Delay,
    Dialect,
    InvalidProviderUrl,
    Rejection,
    UnknownDialect,
    UpstreamState,
)

DIALECTS: Final[Mapping[str, Dialect]] = {
    "panel_v2": Dialect(name="panel_v2"),
    "panelry": Dialect(name="panelry", supports_request_id=True),
}


def dialect(name: str, bends: Mapping[str, Mapping[str, str]]) -> Dialect:
    """Combine a dialect with one provider's own spellings: `bends` is `{"errors": {…}, "words": {…}}`.

    Raises `UnknownDialect`, and `ValueError` for a meaning that is none of ours.
    """
    if name not in DIALECTS:
        raise UnknownDialect(dialect=name, known=", ".join(DIALECTS))
    return Dialect(
        name=name,
        supports_request_id=DIALECTS[name].supports_request_id,
        errors={text.lower(): _meaning(word) for text, word in bends.get("errors", {}).items()},
        words={text.lower(): UpstreamState(word) for text, word in bends.get("words", {}).items()},
    )


def check_url(url: str) -> None:
    """Refuse an address that could never be dialled; whether it may be is decided when it is. Raises `InvalidProviderUrl`."""
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and not parts.username
            and not parts.fragment
        )
        _ = parts.port
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url or len(url) > 500:
        raise InvalidProviderUrl(url=url[:500])


def _meaning(word: str) -> Rejection | Delay:
    return Delay(word) if word in set(Delay) else Rejection(word)
