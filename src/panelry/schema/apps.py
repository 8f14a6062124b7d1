"""The one Django application that owns the business tables."""

from django.apps import AppConfig


class SchemaConfig(AppConfig):
    """Business tables; label `schema`."""

    name = "panelry.schema"
    label = "schema"
    verbose_name = "Panelry"
    default_auto_field = "django.db.models.BigAutoField"
