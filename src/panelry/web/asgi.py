"""Django as an ASGI application, for `panelry.asgi` to mount beside the API."""

from typing import Final

from django.core.asgi import get_asgi_application
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from panelry import settings

CONNECTIONS: Final = {"min_size": 1, "max_size": 10, "timeout": 5.0}

settings.choose_django_settings()
application = get_asgi_application()
# Under ASGI each request has a thread of its own, so a connection kept by its thread would serve once; a pool serves all.
connections.settings["default"]["OPTIONS"]["pool"] = dict(CONNECTIONS)


def close() -> None:
    """Close the pool; to be called before the database stops."""
    default = connections["default"]
    assert isinstance(default, DatabaseWrapper)
    default.close_pool()
