"""The one kind of list in the admin: it reads, and refuses everything else."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, NoReturn

from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from panelry.domain import ids

Asked = Callable[[Any], Q]
MOST_PAGES: Final = 1_000


class Pages(InfinitePaginator):  # type: ignore[misc]
    """Pages without a count; the thousandth is the last one, because the rows before a page are read to skip them."""

    count = MOST_PAGES * 50


class Reader(ModelAdmin):  # type: ignore[misc]
    """A list for staff: no page for one row, no actions, no sorting by columns that have no index, no counting."""

    actions = None
    list_display_links = None
    list_per_page = 50
    list_fullwidth = True
    paginator = Pages
    show_full_result_count = False
    sortable_by = ()
    reads: ClassVar[Sequence[str]] = ()
    """The fields to read, where not all are wanted: no secret shows because somebody adds a column to a table."""
    finds: ClassVar[Mapping[str, str | Asked]] = {}
    """What a search looks at, by how the term begins (an id's prefix): a field, or how to ask; `@` stands for an e-mail
    address. Each has an index, so that no search reads a whole table."""

    def has_view_permission(self, request: HttpRequest, _obj: Model | None = None) -> bool:
        """Let all staff read."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Let all staff read."""
        return self.has_view_permission(request)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Only operations write."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Only operations write."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Only operations write."""
        return False

    def lookup_allowed(self, lookup: str, _value: object, request: HttpRequest) -> bool:  # noqa: ARG002 (Django's)
        """Let addresses ask only what a filter of the list asks: whoever may guess at a secret can find it out."""
        filtered = {getattr(by, "parameter_name", by) for by in self.list_filter}
        return lookup.removesuffix("__exact").removesuffix("__id") in filtered

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Read what is shown."""
        rows: QuerySet[Model] = super().get_queryset(request)
        return rows.only(*self.reads) if self.reads else rows

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """Find by whole ids and addresses where the table is large, by parts of words where it is small."""
        term = search_term.strip()
        if not self.finds or not term:
            return super().get_search_results(request, queryset, search_term)  # type: ignore[no-any-return]
        if "@" in term and "@" in self.finds:
            return queryset.filter(_asked(self.finds["@"], term.lower())), False
        looked_at = self.finds.get(term[:4])
        id_ = ids.parse(term[:4], term)
        return (queryset.filter(_asked(looked_at, id_)) if looked_at and id_ else queryset.none()), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list; nothing can be sent to it."""
        if request.method not in {"GET", "HEAD"}:
            raise PermissionDenied
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]

    def changeform_view(self, *_: object, **__: object) -> NoReturn:
        """Refuse: the form to add or change one row."""
        raise PermissionDenied

    def delete_view(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise PermissionDenied

    def history_view(self, *_: object, **__: object) -> NoReturn:
        """Refuse."""
        raise PermissionDenied


def _asked(looked_at: str | Asked, value: object) -> Q:
    return Q(**{looked_at: value}) if isinstance(looked_at, str) else looked_at(value)
