"""What a command works with: settings, a database that is up and current, and a way to speak."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panelry import settings as panelry_settings
from panelry.settings import Settings

if TYPE_CHECKING:
    from panelry.database.pool import Pool
    from panelry.domain.vault import Vault


class CommandFailed(Exception):
    """A command found something wrong or was refused; the text says what. `value` is its JSON answer, if it has one."""

    def __init__(self, text: str, value: dict[str, Any] | None = None) -> None:
        """Say why; exit 1 follows."""
        super().__init__(text)
        self.value = value


@dataclass(slots=False)
class Session:
    """One run of one command."""

    data: Path | None
    json: bool
    _stack: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def settings(self) -> Settings:
        """Return the settings; the database's address is not known before `database` is entered."""
        return panelry_settings.load(data=self.data)

    @cached_property
    def vault(self) -> "Vault":
        """Return what opens stored secrets."""
        from panelry.domain.vault import open_vault

        return open_vault(self.settings)

    @contextmanager
    def database(self, *, migrate: bool = False) -> Iterator[Settings]:
        """Start or join the database and bring it up to date; the settings then say where it is.

        An embedded database is always brought up to date. One given by `DATABASE_URL` only by `migrate`: another
        machine may still run the version before.
        """
        with ExitStack() as stack:
            settings = self.settings
            is_embedded = settings.database_url is None
            if is_embedded:
                from panelry.database.embedded import cluster

                url = stack.enter_context(cluster(settings.data))
                settings = replace(settings, database_url=url)
            assert settings.database_url is not None
            panelry_settings.publish(settings.database_url, settings.data)
            _bring_up_to_date(settings, may_migrate=is_embedded or migrate, always=migrate)
            yield settings

    @contextmanager
    def pool(self) -> Iterator["Pool"]:
        """Lend a small pool on the database."""
        from panelry.database.pool import Pool

        with self.database() as settings:
            assert settings.database_url is not None
            pool = Pool(settings.database_url, size=4, prepare=settings.prepare, name="panelry command")
            try:
                yield pool
            finally:
                pool.close()

    def say(self, value: dict[str, Any], text: str | None = None) -> None:
        """Print the command's one answer: JSON with `--json`, else words (by default the value's own)."""
        if self.json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        else:
            sys.stdout.write((text if text is not None else _words(value)) + "\n")
        sys.stdout.flush()


def _bring_up_to_date(settings: Settings, *, may_migrate: bool, always: bool) -> None:
    import psycopg

    from panelry.database import health
    from panelry.domain.vault import open_vault
    from panelry.ops.migrate import check_panel, migrate

    assert settings.database_url is not None
    with psycopg.connect(settings.database_url, autocommit=True, connect_timeout=10) as conn:
        is_current = health.is_current(conn)
        if is_current and not always:
            check_panel(conn, settings, open_vault(settings))
            return
    if not may_migrate:
        raise CommandFailed("the database is not up to date: run `panelry migrate` first")
    migrate(settings)


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end the program as an exception does, so that nothing is left running."""

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def _words(value: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in value.items()) or "Done."
