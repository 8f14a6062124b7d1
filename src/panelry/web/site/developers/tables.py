"""What texts leave a place for, as Markdown."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from panelry.contract import ACTIONS, GENERAL, Parameter
from panelry.domain import orders
from panelry.domain.orders import Quantity
from panelry.web.site.developers import errors, events, samples
from panelry.web.site.developers.errors import Error
from panelry.web.site.developers.examples import CURRENCY, Example
from panelry.web.site.developers.pages import PAGES
from panelry.web.site.developers.panel import Panel
from panelry.web.site.developers.texts import program, text
from panelry.web.words import counted

TYPES: Final = "add.types"
USUAL: Final = ("service", "request_id", "link", "quantity", "runs", "interval", "coupon")
"""Parameters of orders that most readers need; the others belong to single types."""
_PAGES: Final = {action: page.slug for page in PAGES for action in page.actions}
VERIFYING: Final = {
    "curl": "verify.sh.txt",
    "javascript": "receiver.mjs.txt",
    "python": "receiver.py.txt",
    "php": "receiver.php.txt",
}


def parameters(which: str) -> list[Parameter]:
    """Return the parameters of an action; of `add` the usual ones, of `add.types` all others."""
    if which == TYPES:
        return [one for one in ACTIONS["add"].parameters if one.name not in USUAL]
    found = ACTIONS[which].parameters
    return [one for one in found if one.name in USUAL] if which == "add" else list(found)


def errors_of(action: str) -> list[Error]:
    """Return the errors of one action."""
    return errors.explained(ACTIONS[action].refusals)


def all_errors(language: str) -> list[tuple[str, str, list[Error]]]:
    """Return an anchor, a title and errors for all that there are, each once: where a reader meets it first."""
    grouped = [("every-call", _("Every call"), general_errors())]
    known = set(GENERAL)
    for page in PAGES:
        kinds = [kind for action in page.actions for kind in ACTIONS[action].refusals if kind not in known]
        known |= set(kinds)
        if kinds:
            found = errors.explained(dict.fromkeys(kinds))
            grouped.append((page.slug, text(page.slug, language).title, found))
    return grouped


def general_errors() -> list[Error]:
    """Return the errors that every call can meet."""
    return [*errors.explained(GENERAL), *errors.our_faults()]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def fenced(code: str, language: str) -> str:
    """Write code as Markdown."""
    return f"```{language}\n{code.rstrip()}\n```"


def response(value: Any, panel: Panel) -> str:
    """Write an answer as it is shown: in lines, with the panel's currency."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text.replace(f'"currency": "{CURRENCY}"', f'"currency": "{panel.currency}"')


def call(example: Example, panel: Panel) -> Mapping[str, str]:
    """Write the example's call in each language."""
    return {
        language: write(panel.endpoint, example.sent)
        for language, (_name, write) in samples.LANGUAGES.items()
    }


def verifying() -> Mapping[str, str]:
    """Return the programs that verify deliveries, by language."""
    return {language: program(name) for language, name in VERIFYING.items()}


def _types(_which: str, _panel: Panel) -> str:
    counts = {
        Quantity.PARAMETER: "`quantity`",
        Quantity.FIXED: _("the service's `min`, charged once"),
    }
    rows = [
        [
            type_,
            ", ".join(f"`{name}`" for name in row.required),
            ", ".join(f"`{name}`" for name in row.optional),
            counts.get(row.quantity) or _("the lines of %(list)s") % {"list": f"`{row.lines_of}`"},
        ]
        for type_, row in orders.TYPES.items()
    ]
    return table([_("Type"), _("Needs"), _("Takes"), _("Quantity")], rows)


def _tiers(_which: str, panel: Panel) -> str:
    rows = [[name, counted(per_minute)] for name, per_minute in panel.tiers]
    return table([_("Tier"), _("Requests a minute, over all keys")], rows)


def _actions(_which: str, _panel: Panel) -> str:
    rows = [
        [
            f"[`{name}`]({_PAGES[name]}.md)",
            _("yes") if action.acts else _("no"),
            _("yes") if action.spends else _("no"),
        ]
        for name, action in ACTIONS.items()
    ]
    return table([_("Action"), _("Changes something"), _("Costs money")], rows)


def _events(_which: str, _panel: Panel) -> str:
    told = []
    for name, (meaning, body) in events.EVENTS.items():
        shown = json.dumps(body, indent=2, ensure_ascii=False)
        told.append(f"### {name} {{#{name.replace('.', '-')}}}\n\n{meaning}\n\n{fenced(shown, 'json')}")
    return "\n\n".join(told)


def _standardwebhooks(_which: str, _panel: Panel) -> str:
    return fenced(program("shorter.py.txt"), "python")


EXPANDED: Final[Mapping[str, Callable[[str, Panel], str]]] = {
    "types": _types,
    "tiers": _tiers,
    "actions": _actions,
    "events": _events,
    "standardwebhooks": _standardwebhooks,
}
"""Places that pages fill with the same Markdown as the files."""

DRAWN: Final = frozenset({"call", "example", "parameters", "errors", "general", "verifying"})
"""Places that pages fill with a layout of their own."""
