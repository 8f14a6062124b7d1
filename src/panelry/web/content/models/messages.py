"""What visitors write to the operator."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Subject(models.TextChoices):
    """What a message is about."""

    ORDER = "order", _("An order")
    PAYMENT = "payment", _("A payment or an invoice")
    API = "api", _("The API")
    ABUSE = "abuse", _("Report abuse or a rights violation")
    OTHER = "other", _("Something else")


class Message(models.Model):
    """A message; `origin` is a keyed digest of the network that it came from, to slow down floods, and no address."""

    name = models.CharField(_("name"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail address"))
    subject = models.CharField(_("about"), max_length=10, choices=Subject, default=Subject.OTHER)
    text = models.TextField(_("message"))
    language = models.CharField(_("language"), max_length=5)
    origin = models.CharField(max_length=64, editable=False)
    at = models.DateTimeField(_("received"), db_default=Now(), editable=False)
    is_answered = models.BooleanField(_("answered"), default=False)

    class Meta:
        db_table = "content_messages"
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = (
            models.Index(fields=["-at"], name="content_messages_newest"),
            models.Index(fields=["origin", "-at"], name="content_messages_of_an_origin"),
        )

    def __str__(self) -> str:
        return f"{self.get_subject_display()}: {self.email}"
