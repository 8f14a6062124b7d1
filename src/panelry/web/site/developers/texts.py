"""The words of the pages: a Markdown file for each page and language, with places for what is made from the tables.

A place is a line `[[name]]` or `[[name argument]]`. The first heading is the page's title, the paragraph below it what
the page is about. A heading ends with its anchor, `{#anchor}`, the same in every language. Links to other pages name
their files.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "texts"
CODE: Final = Path(__file__).parent / "code"
PLACES: Final = re.compile(r"^\[\[([a-z]+)(?: ([\w.-]+))?\]\]$", re.MULTILINE)
ANCHOR: Final = re.compile(r"^(#+ .*?) \{#([\w-]+)\}$", re.MULTILINE)
_HEAD: Final = re.compile(r"# (?P<title>[^\n]+)\n\n(?P<lead>[^\n]+(?:\n[^\n]+)*)\n\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A page's title, the paragraph that says what it is about, and all that follows; Markdown with places."""

    title: str
    lead: str
    body: str


@cache
def text(slug: str, language: str) -> Text:
    """Return the words of a page."""
    whole = (FOLDER / language / f"{slug}.md").read_text()
    head = _HEAD.match(whole)
    assert head is not None, f"{language}/{slug}.md does not begin with a title and a paragraph"
    return Text(title=head["title"], lead=head["lead"].replace("\n", " "), body=whole[head.end() :])


@cache
def program(name: str) -> str:
    """Return one of the programs that pages show whole."""
    return (CODE / name).read_text()
