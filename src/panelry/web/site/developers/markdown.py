"""Pages as Markdown, for people who read it in a repository and for programs."""

from collections.abc import Mapping

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from panelry.contract import Kind
from panelry.web.site.developers import meanings, samples, tables
from panelry.web.site.developers.errors import Error
from panelry.web.site.developers.examples import EXAMPLES
from panelry.web.site.developers.pages import Page
from panelry.web.site.developers.panel import Panel
from panelry.web.site.developers.texts import ANCHOR, PLACES, text


def markdown(page: Page, panel: Panel) -> str:
    """Return a page in the language that is active."""
    words = text(page.slug, get_language() or "en")
    body = PLACES.sub(lambda place: _filled(place[1], place[2] or "", panel), words.body)
    body = ANCHOR.sub(r"\1", body)
    return panel.named(f"# {words.title}\n\n{words.lead}\n\n{body}")


def _filled(name: str, which: str, panel: Panel) -> str:
    match name:
        case "call" | "example":
            return _example(which, panel)
        case "parameters":
            return _parameters(which)
        case "errors":
            return _errors(tables.errors_of(which)) if which else _all_errors()
        case "general":
            return _errors(tables.general_errors())
        case "verifying":
            return _programs(tables.verifying())
        case _:
            return tables.EXPANDED[name](which, panel)


def _example(which: str, panel: Panel) -> str:
    example = EXAMPLES[which]
    answered = tables.fenced(tables.response(example.answer, panel), "json")
    refused = tables.fenced(tables.response(example.error, panel), "json")
    return "\n\n".join(
        [
            _programs(tables.call(example, panel)),
            _("Example response:"),
            answered,
            _("When it is refused:"),
            refused,
        ]
    )


def _programs(programs: Mapping[str, str]) -> str:
    return "\n\n".join(
        f"{samples.LANGUAGES[language][0]}:\n\n{tables.fenced(code, samples.FENCES[language])}"
        for language, code in programs.items()
    )


def _parameters(which: str) -> str:
    action = "add" if which == tables.TYPES else which
    rows = [
        [f"`{one.name}`", str(meanings.KINDS[one.kind]), meanings.needed(one), meanings.meaning(action, one)]
        for one in tables.parameters(which)
    ]
    if which != tables.TYPES:
        always = [("key", meanings.KEY), ("action", str(meanings.ACTION) % {"action": action})]
        words = str(meanings.KINDS[Kind.STRING]), _("required")
        rows = [[f"`{name}`", *words, str(meaning)] for name, meaning in always] + rows
    return tables.table([_("Parameter"), _("Type"), _("Needed"), _("Meaning")], rows)


def _all_errors() -> str:
    grouped = tables.all_errors(get_language() or "en")
    return "\n\n".join(f"### {title}\n\n{_errors(found)}" for _anchor, title, found in grouped)


def _errors(found: list[Error]) -> str:
    rows = [[str(error.status), f"`{error.text}`", error.cause, error.cure] for error in found]
    return tables.table([_("Status"), _("Error"), _("Cause"), _("What to do")], rows)
