"""Bringing a database up to date, and making sure that it belongs to these settings."""

from typing import Any, Final

import psycopg

from panelry import settings as panelry_settings
from panelry.database import health
from panelry.domain.refusals import PermanentFailure
from panelry.domain.vault import Vault, open_vault
from panelry.settings import InvalidSetting, Settings

_LOCK: Final = 0x70616E656C7279  # "panelry": two programs never migrate at once
_SEALED: Final = "panelry"


def migrate(settings: Settings) -> None:
    """Apply migrations and guards to `settings.database_url`, and hold the panel's row against the settings.

    Raises `InvalidSetting` when the database was made with another currency or secret key.
    """
    assert settings.database_url is not None
    panelry_settings.publish(settings.database_url, settings.data)
    vault = open_vault(settings)
    with psycopg.connect(settings.database_url, prepare_threshold=None) as conn:
        # In a transaction that stays open meanwhile: a lock of the session would be lost behind a PgBouncer.
        conn.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        _django_migrate()
        conn.execute(health.GUARDS.read_bytes())
        conn.execute(
            "INSERT INTO panel (id, currency, seal) VALUES (1, %s, %s) ON CONFLICT (id) DO NOTHING",
            [settings.currency, vault.seal(_SEALED, purpose="panel")],
        )
        conn.execute("UPDATE panel SET guards = %s", [health.guards_digest()])
        check_panel(conn, settings, vault)


def check_panel(conn: psycopg.Connection[Any], settings: Settings, vault: Vault) -> None:
    """Refuse settings that this panel was not made with. Raises `InvalidSetting`."""
    [currency, seal] = conn.execute("SELECT currency, seal FROM panel").fetchall()[0]
    if currency != settings.currency:
        raise InvalidSetting(
            f"this panel's wallets are in {currency}, PANELRY_CURRENCY says {settings.currency}"
        )
    try:
        vault.open(bytes(seal), purpose="panel")
    except PermanentFailure:
        raise InvalidSetting(
            "the secret key (PANELRY_SECRET_KEY, or secret.key in the data directory) is not the one this panel was made with"
        ) from None


def _django_migrate() -> None:
    panelry_settings.choose_django_settings()
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    connection.close()
