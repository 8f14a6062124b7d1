"""How staff write: lists and forms of the office for content, every language beside the others."""

from typing import Any, ClassVar, Final

from django.contrib.admin import display
from django.db.models import Field, Max, Model, OuterRef, QuerySet, Subquery
from django.forms import ModelForm, Textarea
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from panelry import clock
from panelry.schema.models import User
from panelry.web.content.models import IncidentNote, Page

LANGUAGES: Final = ("en", "tr", "ar")
TEXTS: Final = (
    _("Texts"),
    {
        "description": _(
            "Markdown. {name} stands for the panel's name; [words](page:contact) leads to a page in the reader's language. "
            "Where a language is empty, its readers see the English text."
        ),
        "fields": tuple(
            tuple(f"{part}_{code}" for code in LANGUAGES) for part in ("title", "description", "body")
        ),
    },
)


class ForStaff(ModelAdmin):  # type: ignore[misc]
    """Content is the business of all staff."""

    list_per_page = 50
    show_full_result_count = False
    compressed_fields = False  # a label stands above its field, so that three languages fit beside each other

    def has_view_permission(self, request: HttpRequest, _obj: Model | None = None) -> bool:
        """Let all staff read."""
        return bool(request.user.is_active and request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Let all staff read."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let all staff write."""
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, _obj: Model | None = None) -> bool:
        """Let all staff write."""
        return self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, _obj: Model | None = None) -> bool:
        """Let all staff delete."""
        return self.has_view_permission(request)


class Writing(ForStaff):
    """Content that staff write. It is hidden rather than deleted, so that our first texts do not come back."""

    list_fullwidth = True
    search_fields: ClassVar = ("title_en", "title_tr", "title_ar")
    settings_fields: ClassVar[tuple[str, ...]] = ()

    def get_fieldsets(self, _request: HttpRequest, _obj: Model | None = None) -> list[Any]:
        """Put what is not text above the texts."""
        return [(None, {"fields": self.settings_fields}), TEXTS]

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Keep everything."""
        return False

    def formfield_for_dbfield(self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any) -> Any:
        """Let each text be written in its own direction."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        name, _sep, code = db_field.name.rpartition("_")
        if field is not None and code in LANGUAGES and name in {"title", "description", "body", "text"}:
            field.widget.attrs |= {"lang": code, "dir": "rtl" if code == "ar" else "ltr"}
            if isinstance(field.widget, Textarea):
                field.widget.attrs["rows"] = 24
        return field


class Pages(Writing):
    """Pages by version. Saving a change writes the next version; nobody can change what others have accepted."""

    list_display = ("title_en", "slug", "version", "is_current", "published_at")
    list_filter = ("slug",)
    ordering = ("slug", "-version")
    settings_fields = ("slug", "published_at")

    @display(description=_("Holds now"), boolean=True)
    def is_current(self, page: Page) -> bool:
        """Tell whether this version is the one that readers see."""
        return bool(page.version == page.holding)  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Page]":
        """Read pages with the version that holds."""
        published = Page.objects.filter(slug=OuterRef("slug"), published_at__lte=clock.now()).order_by(
            "-version"
        )
        rows: QuerySet[Page] = super().get_queryset(request)
        return rows.annotate(holding=Subquery(published.values("version")[:1]))

    def get_readonly_fields(self, _request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Let a version stay on its page."""
        return ("slug",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Page, _form: "ModelForm[Page]", change: bool) -> None:  # noqa: FBT001 (Django's)
        """Write another version, by whoever is signed in."""
        assert isinstance(request.user, User)
        last = Page.objects.filter(slug=obj.slug).aggregate(Max("version"))["version__max"] or 0
        if change:
            obj.pk = None
            obj._state.adding = True  # noqa: SLF001 (Django's way to copy a row)
        obj.version, obj.author = last + 1, request.user
        obj.save()


class Posts(Writing):
    """The blog, the changelog and announcements."""

    list_display = ("title_en", "kind", "slug", "published_at")
    list_filter = ("kind",)
    ordering = ("-id",)
    prepopulated_fields: ClassVar = {"slug": ("title_en",)}
    settings_fields = ("kind", "slug", "published_at")


class Questions(Writing):
    """Frequent questions."""

    list_display = ("title_en", "topic", "position", "is_shown")
    list_filter = ("topic", "is_shown")
    ordering = ("position", "id")
    prepopulated_fields: ClassVar = {"slug": ("title_en",)}
    settings_fields = ("topic", "slug", "position", "is_shown")


class Giveaways(Writing):
    """What is given away."""

    list_display = ("title_en", "starts_at", "ends_at", "is_shown")
    ordering = ("-ends_at",)
    prepopulated_fields: ClassVar = {"slug": ("title_en",)}
    settings_fields = ("slug", "starts_at", "ends_at", "is_shown")


class Notes(TabularInline):  # type: ignore[misc]
    """What became known about an incident, and when; the incident's form says who may write."""

    model = IncidentNote
    extra = 1
    max_num = 100

    def has_view_permission(self, *_: object) -> bool:
        """Let whoever sees the incident read."""
        return True

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


class Incidents(Writing):
    """What the status page tells of trouble."""

    list_display = ("title_en", "impact", "began_at", "ended_at")
    list_filter = ("impact",)
    ordering = ("-began_at",)
    inlines = (Notes,)
    settings_fields = ("impact", "began_at", "ended_at")


class Messages(ForStaff):
    """What visitors wrote; it can be marked as answered, and deleted when it has been dealt with."""

    list_display = ("at", "subject", "email", "language", "is_answered")
    list_filter = ("is_answered", "subject")
    ordering = ("-at", "-id")
    search_fields: ClassVar = ("email",)
    fields = ("at", "subject", "name", "email", "language", "text", "is_answered")
    readonly_fields = ("at", "subject", "name", "email", "language", "text")

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Only visitors write messages."""
        return False
