"""Our Markdown as HTML: code blocks as the components have them, headings with anchors, links between pages."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from typing import Any, Final

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from panelry.web.site.developers.highlight import highlighted
from panelry.web.site.developers.pages import BY_SLUG

WIDE: Final = 4
"""Tables of more columns keep a width at which they can be read."""

_ANCHOR: Final = re.compile(r" \{#([\w-]+)\}$")
_FILE: Final = re.compile(r"([a-z-]+)\.md(#[\w-]+)?")
_NAMES: Final = {"json": "JSON", "bash": "Shell", "http": "HTTP", "python": "Python"}


def rendered(markdown: str) -> SafeString:
    """Return Markdown as HTML."""
    return mark_safe(str(_parser().render(markdown)))  # noqa: S308 (our own texts, in which HTML is text)


def inline(markdown: str) -> SafeString:
    """Return one line of Markdown as HTML: code, links, emphasis."""
    return mark_safe(str(_parser().renderInline(markdown)))  # noqa: S308 (as above)


def plain(markdown: str) -> str:
    """Return one line of Markdown as it reads."""
    bare = re.sub(r"\[([^\]]*)\]\([^)]*\)|`|\*\*", lambda found: found[1] or "", markdown)
    return bare.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")


def code_block(title: str, **shown: Any) -> SafeString:
    """Return a block of code; `code` is one as HTML, `tabs` are several of which one is shown."""
    return render_to_string("site/developers/code.html", {"title": title, **shown})


def page_path(slug: str) -> str:
    """Return where a page stands, in the language that is active."""
    return reverse(BY_SLUG[slug].name)


class _Renderer(RendererHTML):
    """The rules by which tokens become HTML, each named like its token."""

    def fence(self, tokens: Sequence[Token], idx: int, *_rest: Any) -> str:
        language = tokens[idx].info
        code = highlighted(tokens[idx].content.rstrip("\n"), language)
        return code_block(_NAMES.get(language) or _("Example"), code=code)

    def table_open(self, tokens: Sequence[Token], idx: int, *_rest: Any) -> str:
        head = takewhile(lambda token: token.type != "thead_close", tokens[idx:])
        width = " wide" if sum(token.type == "th_open" for token in head) > WIDE else ""
        label = escape(
            _("Table")
        )  # on a narrow screen it is scrolled, by whoever has no pointer with the keyboard
        wrap = f'<div class="table-wrap" tabindex="0" role="group" aria-label="{label}">'
        return f'{wrap}<table class="table{width}">\n'

    def table_close(self, *_rest: Any) -> str:
        return "</table></div>\n"

    def blockquote_open(self, *_rest: Any) -> str:
        return '<div class="note">\n'

    def blockquote_close(self, *_rest: Any) -> str:
        return "</div>\n"

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        if found := _FILE.fullmatch(str(tokens[idx].attrGet("href"))):
            tokens[idx].attrSet("href", page_path(found[1]) + (found[2] or ""))
        return self.renderToken(tokens, idx, options, env)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": True}, renderer_cls=_Renderer).enable(
        ["table", "smartquotes"]
    )
    parser.core.ruler.push("anchors", _anchor)
    return parser


def _anchor(state: StateCore) -> None:
    """Make ids of the anchors that stand at the end of headings."""
    for opening, words in zip(state.tokens, state.tokens[1:], strict=False):
        if opening.type == "heading_open" and words.children and (found := _ANCHOR.search(words.content)):
            opening.attrSet("id", found[1])
            last = words.children[-1]
            last.content = last.content.removesuffix(found[0])
