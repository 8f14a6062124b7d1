"""What a command works with: settings, a database that is up and current, and a way to speak."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from panelry import settings as panelry_settings
from panelry.ops import signals
from panelry.ops.redaction import redact
from panelry.settings import InvalidSetting, Settings

if TYPE_CHECKING:
    from panelry.database.pool import Pool
    from panelry.domain.vault import Vault

Migrate = Literal["own", "needed", "always"]
"""Which databases a command brings up to date: its own embedded one; any that needs it; any, needed or not."""

REVIVE_SECONDS: Final = 0.2
AFTER_A_FAILURE: Final = 5.0


class CommandFailed(Exception):
    """A command found something wrong or was refused; the text says what. `value` is its JSON answer, if it has one."""

    def __init__(self, text: str, value: dict[str, Any] | None = None) -> None:
        """Say why; exit 1 follows."""
        super().__init__(text)
        self.value = value


@dataclass
class Session:
    """One run of one command."""

    data: Path | None
    json: bool
    has_spoken: bool = False

    @cached_property
    def settings(self) -> Settings:
        """Return the settings; an embedded database's address is not known before `database` is entered."""
        return panelry_settings.load(data=self.data)

    @cached_property
    def vault(self) -> "Vault":
        """Return what opens stored secrets."""
        from panelry.domain.vault import open_vault

        return open_vault(self.settings)

    @contextmanager
    def database(self, *, migrate: Migrate = "own", keep: bool = False) -> Iterator[Settings]:
        """Start or join the database and bring it up to date; the settings then say where it is.

        A database given by `DATABASE_URL` is not migrated unasked: another machine may still run the version before.
        `keep` is for programs that stay: they start an embedded server again when it dies.
        """
        with ExitStack() as stack:
            settings = self.settings
            is_embedded = settings.database_url is None
            if is_embedded:
                from panelry.database.embedded import cluster

                url = stack.enter_context(cluster(settings.data))
                stack.callback(signals.ignore_signals)
                settings = replace(settings, database_url=url)
                if keep:
                    stack.enter_context(_kept_alive(settings.data))
            assert settings.database_url is not None
            panelry_settings.publish(settings.database_url, settings.data)
            _bring_up_to_date(settings, migrate="needed" if is_embedded and migrate == "own" else migrate)
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
        assert not self.has_spoken, "a command has one answer"
        self.has_spoken = True
        answer = (
            json.dumps(value, ensure_ascii=False)
            if self.json
            else text
            if text is not None
            else _words(value)
        )
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()

    def fail(self, reason: str, value: dict[str, Any] | None = None) -> None:
        """Say why nothing came of it: on stderr, and with `--json` as the one answer, too."""
        reason = redact(reason)
        if self.json and not self.has_spoken:
            self.say(value if value is not None else {"error": reason})
        if panelry_settings.lifeline() is not None:  # a part of `up`, whose stderr is the log
            import structlog

            structlog.get_logger("panelry").error("part_failed", reason=reason)
        else:
            sys.stderr.write(f"panelry: {reason}\n")


def check_text(what: str, text: str, *, most: int) -> None:
    """Refuse a text that is empty, too long or not text. Raises `CommandFailed`."""
    if not text.strip() or len(text) > most or not text.isprintable():
        raise CommandFailed(f"{what} must be a text of 1 to {most} printable characters")


def _bring_up_to_date(settings: Settings, *, migrate: Migrate) -> None:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    from panelry.database import health
    from panelry.domain.vault import open_vault
    from panelry.ops import migrate as migrating

    assert settings.database_url is not None
    try:
        conninfo_to_dict(settings.database_url)
    except psycopg.ProgrammingError:  # its text may hold the password
        raise InvalidSetting("DATABASE_URL is not the address of a PostgreSQL database") from None
    vault = open_vault(settings)
    with psycopg.connect(settings.database_url, autocommit=True, connect_timeout=10) as conn:
        conn.prepare_threshold = None
        is_current = health.is_current(conn)
        if is_current and migrate != "always":
            migrating.check_panel(conn, settings, vault)
            return
    if migrate == "own":
        raise CommandFailed("the database is not up to date: run `panelry migrate` first")
    migrating.migrate(settings)


@contextmanager
def _kept_alive(data: Path) -> Iterator[None]:
    """Start the embedded server again whenever it dies, until the end of the block."""
    import structlog

    from panelry.database import embedded

    log = structlog.get_logger("panelry.database")
    leaving = threading.Event()

    def keep() -> None:
        wait = REVIVE_SECONDS
        while not leaving.wait(wait):
            try:
                embedded.revive(data)
                wait = REVIVE_SECONDS
            except embedded.ClusterError as error:
                log.error("database_not_revived", error=str(error))  # noqa: TRY400 (its text says it all)
                wait = AFTER_A_FAILURE

    keeper = threading.Thread(target=keep, name="keeper of the database", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        leaving.set()
        keeper.join()  # or it might start the server after we have left


def _words(value: dict[str, Any]) -> str:
    return (
        "\n".join(f"{name}: {'' if text is None else text}".rstrip() for name, text in value.items())
        or "Done."
    )
