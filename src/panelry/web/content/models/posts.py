"""What appears from time to time: posts, questions with their answers, giveaways."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from panelry.web.content.models.writing import Written


class Kind(models.TextChoices):
    """Where a post stands: on the blog, in the changelog, or above the service updates and in dashboards."""

    ARTICLE = "article", _("Blog")
    RELEASE = "release", _("Changelog")
    NOTICE = "notice", _("Announcement")


class Post(Written):
    """A post; without a time it is a draft, with one that is still to come it waits."""

    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.ARTICLE)
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta(Written.Meta):
        abstract = False
        db_table = "content_posts"
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        indexes = (models.Index(fields=["kind", "-published_at", "-id"], name="content_posts_newest"),)


class Topic(models.TextChoices):
    """What a question is about."""

    ORDERS = "orders", _("Orders and delivery")
    MONEY = "money", _("Prices and money")
    API = "api", _("API")
    ACCOUNT = "account", _("Account")


class Question(Written):
    """A frequent question (the title) and its answer (the body)."""

    slug = models.SlugField(_("anchor"), max_length=80, unique=True)
    topic = models.CharField(_("topic"), max_length=10, choices=Topic, default=Topic.ORDERS)
    position = models.PositiveSmallIntegerField(_("position"), default=100)
    is_shown = models.BooleanField(_("shown"), default=True)

    class Meta(Written.Meta):
        abstract = False
        db_table = "content_questions"
        verbose_name = _("question")
        verbose_name_plural = _("questions")


class Giveaway(Written):
    """Something that is given away between two instants; its text holds the rules, and later the outcome."""

    slug = models.SlugField(_("anchor"), max_length=80, unique=True)
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    is_shown = models.BooleanField(_("shown"), default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(Written.Meta):
        abstract = False
        db_table = "content_giveaways"
        verbose_name = _("giveaway")
        verbose_name_plural = _("giveaways")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="giveaway_ends_after_it_starts",
                violation_error_message=_("It must end after it starts."),
            ),
        )
