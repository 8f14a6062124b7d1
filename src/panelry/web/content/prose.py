"""Markdown as pages show it: turned into HTML, then cleaned of everything that we do not know."""

import re
from functools import lru_cache
from typing import Final

import nh3
from django.urls import NoReverseMatch, reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from markdown_it import MarkdownIt

TAGS: Final = {
    "a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
NAME: Final = "{name}"
"""Stands in texts for the panel's name."""
_PAGE_LINK: Final = re.compile(r"\]\(page:([a-z_]+)\)")
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def html(text: str, *, name: str) -> SafeString:
    """Return Markdown as HTML that can do no harm.

    `{name}` becomes the panel's name, and a link to `page:contact` leads to the contact page in the reader's language.
    """
    return _html(text, name, get_language() or "en")


def plain(text: str, *, name: str) -> str:
    """Return Markdown as text without any marks, for programs that want none."""
    return " ".join(nh3.clean(strip_tags(html(text, name=name)), tags=set()).split())


@lru_cache(maxsize=512)
def _html(text: str, name: str, _language: str) -> SafeString:
    """Remember what was made of a text: a text that changes is another one."""
    linked = _PAGE_LINK.sub(_address, text.replace(NAME, _escaped(name)))
    cleaned = nh3.clean(
        _MARKDOWN.render(linked),
        tags=TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener",
    )
    return mark_safe(cleaned)  # noqa: S308 (cleaned just now)


def _address(match: re.Match[str]) -> str:
    try:
        return f"]({reverse(match[1])})"
    except NoReverseMatch:
        return "](#)"


def _escaped(name: str) -> str:
    return re.sub(r"([\\`*_{}\[\]()#+!|<>])", r"\\\1", name)
