"""The Django application of what an operator writes."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ContentConfig(AppConfig):
    """Content tables; label `content`. Our first texts are put in after each migration, where they are missing."""

    name = "panelry.web.content"
    label = "content"
    verbose_name = "Content"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Have the first texts put in."""
        post_migrate.connect(_install, sender=self)


def _install(**_: object) -> None:
    from panelry.web.content.installing import install  # noqa: PLC0415 (models exist only by now)

    install()
