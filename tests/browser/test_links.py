"""Every link on every public page leads somewhere, in every language."""

from collections import deque
from html.parser import HTMLParser
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import Request, urlopen

import pytest
from looking import in_language
from visits import LANGUAGES

MOST_PAGES: Final = 600
PRIVATE: Final = ("/dashboard/", "/office/", "/sign-out/")
LEADS: Final = {"a": "href", "link": "href", "script": "src", "img": "src", "use": "href", "form": "action"}


class _Page(HTMLParser):
    """What a page links to, and the places in it that can be linked to."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if place := given.get("id"):
            self.places.add(place)
        if (link := given.get(LEADS.get(tag, ""))) and not (tag == "form" and given.get("method") == "post"):
            self.links.add(link)


def _read(url: str) -> tuple[int, str, str]:
    try:
        with urlopen(Request(url), timeout=30) as answer:  # noqa: S310 (our own address)
            kind = answer.headers.get_content_type()
            return answer.status, kind, answer.read().decode() if kind == "text/html" else ""
    except HTTPError as error:
        return error.code, "", ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_link_is_broken(demonstration: dict[str, str], language: str) -> None:
    """Follow all links from the first page on, through the pages of one language."""
    home = demonstration["address"]
    start = home + in_language("/", language)
    seen: dict[str, _Page | None] = {}
    wanted: dict[str, tuple[str, str]] = {}
    broken: list[str] = []
    waiting = deque([(start, "the address itself")])
    while waiting:
        url, found_on = waiting.popleft()
        if url in seen:
            continue
        assert len(seen) < MOST_PAGES, "pages without end"
        status, kind, source = _read(url)
        seen[url] = page = _Page(source) if kind == "text/html" else None
        if status != 200:
            broken.append(f"{url} answers {status}, linked from {found_on}")
        for link in page.links if page and _is_in(url, home, language) else ():
            there, place = urldefrag(urljoin(url, link))
            parts = urlsplit(there)
            if not there.startswith(home + "/") or parts.path.startswith(PRIVATE):
                continue
            if place and kind == "text/html" and not parts.path.startswith("/static/"):
                wanted[urljoin(url, link)] = (there, url)
            if not parts.query or parts.path.startswith("/static/"):
                waiting.append((there, url))
    for link, (there, found_on) in wanted.items():
        page = seen.get(there)
        if page and urldefrag(link)[1] not in page.places:
            broken.append(f"{link} leads to no place on its page, linked from {found_on}")
    assert not broken, "\n".join(broken)


def _is_in(url: str, home: str, language: str) -> bool:
    """Tell whether a page is of this language: the others are read on their own turn."""
    path = url.removeprefix(home)
    named = next((one for one in LANGUAGES[1:] if path.startswith(f"/{one}/")), LANGUAGES[0])
    return named == language
