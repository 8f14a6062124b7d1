"""Bringing a database up to date, and making sure that it belongs to these settings."""

import os
from pathlib import Path
from typing import Final

import psycopg

from panelry import settings as panelry_settings
from panelry.domain.refusals import PermanentFailure
from panelry.domain.vault import Vault, open_vault
from panelry.settings import InvalidSetting, Settings

GUARDS: Final = Path(__file__).parents[1] / "schema" / "guards.sql"
_LOCK: Final = 0x70616E656C7279  # "panelry": two programs never migrate at once
_SEALED: Final = "panelry"


def migrate(settings: Settings) -> None:
    """Apply migrations and guards to `settings.database_url`, and hold the panel's row against the settings.

    Raises `InvalidSetting` when the database was made with another currency or secret key.
    """
    assert settings.database_url is not None
    panelry_settings.publish(settings.database_url, settings.data)
    with psycopg.connect(settings.database_url, autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        _django_migrate()
        with conn.transaction():
            conn.execute(GUARDS.read_bytes())
            _panel(conn, settings, open_vault(settings))


def is_current(settings: Settings) -> bool:
    """Tell whether every migration has been applied."""
    _setup_django()
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _django_migrate() -> None:
    _setup_django()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0, interactive=False)
    connection.close()


def _setup_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panelry.web.configuration")
    import django

    django.setup()


def _panel(conn: psycopg.Connection, settings: Settings, vault: Vault) -> None:
    sealed = vault.seal(_SEALED, purpose="panel")
    conn.execute(
        "INSERT INTO panel (id, currency, seal) VALUES (1, %s, %s) ON CONFLICT (id) DO NOTHING",
        [settings.currency, sealed],
    )
    [currency, seal] = conn.execute("SELECT currency, seal FROM panel").fetchall()[0]
    if currency != settings.currency:
        raise InvalidSetting(
            f"this panel's wallets are in {currency}; PANELRY_CURRENCY says {settings.currency}"
        )
    try:
        vault.open(bytes(seal), purpose="panel")
    except PermanentFailure:
        raise InvalidSetting(
            "PANELRY_SECRET_KEY, or the file secret.key in the data directory, is not the one this panel was made with"
        ) from None
