"""Text from outside, made fit to be kept and shown: without our key, without control characters, short."""

import html
import json
import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

LONGEST: Final = 500


def fit(text: str, key: str, *, limit: int = LONGEST) -> str:
    """Hide the key, as a provider may echo it, then escape what cannot be printed, then cut."""
    # Hidden before it is cut: half a key is still half a key.
    hidden = _spellings(key).sub("***", text) if key else text
    shown = hidden if hidden.isprintable() else "".join(map(_escaped, hidden[: 2 * limit]))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode()


@lru_cache(maxsize=256)
def _spellings(key: str) -> re.Pattern[str]:
    spelt = {key, quote(key), quote(key, safe=""), quote_plus(key), html.escape(key), json.dumps(key)[1:-1]}
    spelt |= {json.dumps(key)[1:-1].replace("/", "\\/")}
    return re.compile("|".join(re.escape(one) for one in sorted(spelt, key=len, reverse=True)), re.IGNORECASE)
