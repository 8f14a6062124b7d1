"""Pages that an operator adapts; each change is a version of its own."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from panelry.schema.models import User
from panelry.web.content.models.writing import Written


class Slug(models.TextChoices):
    """The pages there are; all but `why` and `about` bind the operator and its customers."""

    WHY = "why", _("Why")
    ABOUT = "about", _("About")
    TERMS = "terms", _("Terms of service")
    PRIVACY = "privacy", _("Privacy")
    REFUNDS = "refunds", _("Refund policy")


class Page(Written):
    """One version of a page; the highest is the one that counts. Versions are never changed: people accepted them."""

    slug = models.CharField(_("page"), max_length=20, choices=Slug)
    version = models.PositiveIntegerField(_("version"))
    published_at = models.DateTimeField(_("since"), db_default=Now())
    author = models.ForeignKey(User, null=True, editable=False, on_delete=models.SET_NULL, related_name="+")

    class Meta(Written.Meta):
        abstract = False
        db_table = "content_pages"
        verbose_name = _("page")
        verbose_name_plural = _("pages")
        constraints = (models.UniqueConstraint("slug", "version", name="page_has_each_version_once"),)

    def __str__(self) -> str:
        return f"{self.title_en}, version {self.version}"
