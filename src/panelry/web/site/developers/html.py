"""Pages as HTML: sections of words, each with the code of its call beside it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Final
from zlib import crc32

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from panelry.contract import ACTIONS, Action, Kind, Needed
from panelry.web.site.developers import meanings, samples, tables
from panelry.web.site.developers.errors import Error
from panelry.web.site.developers.examples import EXAMPLES, Example
from panelry.web.site.developers.highlight import highlighted
from panelry.web.site.developers.pages import Page
from panelry.web.site.developers.panel import Panel
from panelry.web.site.developers.rendering import code_block, inline, plain, rendered
from panelry.web.site.developers.texts import PLACES, text

_SECTION: Final = re.compile(r"^(## [^\n]+)\n\n([^\n]+(?:\n[^\n]+)*)\n\n(?=\[\[call )", re.MULTILINE)
_CALL: Final = re.compile(r"\[\[call ([\w.-]+)\]\]\n")
_HEADING: Final = re.compile(r"^## (.+?) \{#([\w-]+)\}$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, the paragraph below it and the words; `example` and `samples` are the call that stands beside them."""

    heading: SafeString
    lead: SafeString
    words: SafeString
    example: Example | None = None
    samples: SafeString | None = None

    @property
    def action(self) -> Action | None:
        """Return the action that the call asks for."""
        return ACTIONS[self.example.action] if self.example else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A page: title and description as plain text, its sections, and the anchors of its headings with their titles."""

    title: str
    description: str
    sections: Sequence[Section]
    contents: Sequence[tuple[str, str]]


@lru_cache(maxsize=256)
def document(page: Page, panel: Panel, language: str) -> Document:
    """Return a page in `language`, which must be the active one."""
    words = text(page.slug, language)
    lead, body = panel.named(words.lead), panel.named(words.body)
    parts = iter([f"# {words.title}", lead, *_SECTION.split(body)])
    first = (next(parts), next(parts), next(parts))
    sections = [first]
    while more := tuple(islice(parts, 3)):
        sections.append(more)  # type: ignore[arg-type]
    return Document(
        title=plain(words.title),
        description=plain(lead),
        sections=[_section(*section, panel) for section in sections],
        contents=[(anchor, plain(title)) for title, anchor in _HEADING.findall(body)],
    )


def _section(head: str, lead: str, body: str, panel: Panel) -> Section:
    call = _CALL.match(body)
    example = EXAMPLES[call[1]] if call else None
    return Section(
        heading=rendered(head),
        lead=rendered(lead),
        words=_words(body[call.end() :] if call else body, panel),
        example=example,
        samples=_example(example, panel) if example else None,
    )


def _words(body: str, panel: Panel) -> SafeString:
    made, at = [], 0
    for place in PLACES.finditer(body):
        made += [rendered(body[at : place.start()]), _filled(place[1], place[2] or "", panel)]
        at = place.end()
    return mark_safe("".join([*made, rendered(body[at:])]))  # noqa: S308 (all of it was rendered)


def _filled(name: str, which: str, panel: Panel) -> SafeString:
    match name:
        case "example":
            return _example(EXAMPLES[which], panel)
        case "parameters":
            return _parameters(which)
        case "errors":
            return _errors(tables.errors_of(which)) if which else _all_errors()
        case "general":
            return _errors(tables.general_errors())
        case "verifying":
            return _programs(_("Verify a delivery"), tables.verifying())
        case _:
            return rendered(tables.EXPANDED[name](which, panel))


def _example(example: Example, panel: Panel) -> SafeString:
    blocks = [_programs(_("Example request"), tables.call(example, panel))]
    for title, value in ((_("Example response"), example.answer), (_("When it is refused"), example.error)):
        blocks.append(code_block(title, code=highlighted(tables.response(value, panel), "json")))
    return mark_safe("".join(blocks))  # noqa: S308 (all of it was rendered)


def _programs(title: str, programs: Mapping[str, str]) -> SafeString:
    tabs = [
        {
            "name": name,
            "title": samples.LANGUAGES[name][0],
            "code": highlighted(code.rstrip(), samples.FENCES[name]),
        }
        for name, code in programs.items()
    ]
    group = f"language-{crc32(tabs[0]['code'].encode()):08x}"  # of radio buttons: a page has many such blocks
    return code_block(title, tabs=tabs, group=group)


def _parameters(which: str) -> SafeString:
    action = "add" if which == tables.TYPES else which
    rows = [
        {
            "name": one.name,
            "kind": meanings.KINDS[one.kind],
            "needed": meanings.needed(one),
            "is_required": one.needed is Needed.ALWAYS,
            "is_optional": one.needed is Needed.NEVER,
            "meaning": inline(meanings.meaning(action, one)),
        }
        for one in tables.parameters(which)
    ]
    if which != tables.TYPES:
        always = {"kind": meanings.KINDS[Kind.STRING], "needed": _("required"), "is_required": True}
        rows = [
            {**always, "name": "key", "meaning": inline(str(meanings.KEY))},
            {**always, "name": "action", "meaning": inline(str(meanings.ACTION) % {"action": action})},
            *rows,
        ]
    return render_to_string("site/developers/parameters.html", {"rows": rows})


def _all_errors() -> SafeString:
    grouped = tables.all_errors(get_language() or "en")
    made = [
        rendered(f"### {title} {{#{anchor}}}") + _errors(found, anchored=True)
        for anchor, title, found in grouped
    ]
    return mark_safe("".join(made))  # noqa: S308 (all of it was rendered)


def _errors(found: list[Error], *, anchored: bool = False) -> SafeString:
    rows = [{"error": error, "cause": inline(error.cause), "cure": inline(error.cure)} for error in found]
    return render_to_string("site/developers/errors.html", {"rows": rows, "anchored": anchored})
