"""Columns and filters that several lists share."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import ModelAdmin, SimpleListFilter, display
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display as labelled

from panelry.domain import ids
from panelry.web.words import counted, exactly, priced, short, state_word

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Column = Callable[[Any], str]


def shown_id(prefix: str, name: str, title: "str | StrPromise") -> Column:
    """Show an id shortened, with the whole in its title."""

    @display(description=title)
    def column(row: Any) -> str:
        id_ = getattr(row, name)
        if id_ is None:
            return ""
        shown = ids.show(prefix, id_)
        return format_html('<code class="whitespace-nowrap" title="{}">{}</code>', shown, short(shown))

    return column


def price(name: str, title: "str | StrPromise") -> Column:
    """Show micros in the wallets' currency, and nothing where there are none."""

    @display(description=title)
    def column(row: Any) -> str:
        micros = getattr(row, name)
        return priced(micros) if micros else ""

    return column


def count(name: str, title: "str | StrPromise") -> Column:
    """Show a whole number."""

    @display(description=title)
    def column(row: Any) -> str:
        return counted(getattr(row, name))

    return column


def moment(name: str, title: "str | StrPromise") -> Column:
    """Show an instant to the minute, in UTC, with the seconds in its title."""

    @display(description=title)
    def column(row: Any) -> str:
        at = getattr(row, name)
        if at is None:
            return ""
        return format_html(
            '<time class="whitespace-nowrap" datetime="{}" title="{}">{}</time>',
            at.isoformat(),
            exactly(at),
            f"{at:%Y-%m-%d %H:%M}",
        )

    return column


def clipped(name: str, title: "str | StrPromise", most: int = 36) -> Column:
    """Show the beginning of a text that others wrote, with the whole in its title."""

    @display(description=title)
    def column(row: Any) -> str:
        text = str(attrgetter(name)(row) or "")
        shown = text if len(text) <= most else text[: most - 1] + "…"
        return format_html('<span class="whitespace-nowrap" title="{}">{}</span>', text, shown)

    return column


def state(colours: Mapping[str, str]) -> Column:
    """Show the state as a word on one of Unfold's colours: info, success, warning, danger or none."""

    @labelled(description=_("State"), label=dict(colours))  # type: ignore[untyped-decorator]
    def column(row: Any) -> tuple[str, str]:
        return row.state, state_word(row.state)

    return column  # type: ignore[no-any-return]


class StateFilter(SimpleListFilter):
    """Filter by a state out of a known set, without asking the table which it holds."""

    title = _("state")
    parameter_name = "state"
    states: ClassVar[Iterable[StrEnum | str]]

    def lookups(self, _request: HttpRequest, _admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        """Offer every state."""
        return [(str(state), state_word(state)) for state in self.states]

    def queryset(self, _request: HttpRequest, rows: QuerySet[Model]) -> QuerySet[Model]:
        """Keep the rows in the chosen state."""
        return rows.filter(state=self.value()) if self.value() else rows


def by_state(of: Iterable[StrEnum | str]) -> type[StateFilter]:
    """Make a filter for these states."""
    return type("States", (StateFilter,), {"states": of})
