"""When keys were used last: noted in memory, and written as one set every ten seconds and at the end."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import psycopg
import structlog

from panelry import clock
from panelry.database.pool import Pool
from panelry.domain import accounts
from panelry.domain.accounts import KeyId

EVERY_SECONDS: Final = 10.0
log = structlog.get_logger()


class Uses:
    """Which keys called this process since they were written last. Only the keys of real callers get here."""

    def __init__(self, pool: Pool) -> None:
        """Write to the database of this pool."""
        self._pool = pool
        self._used: dict[KeyId, datetime] = {}
        self._writer: asyncio.Task[None] | None = None

    def note(self, key_id: KeyId) -> None:
        """Remember that a key is used now; it is written soon."""
        self._used[key_id] = clock.now()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.cancel()
        self._store(self._taken())

    async def _write(self) -> None:
        while self._used:
            await asyncio.sleep(EVERY_SECONDS)
            await asyncio.to_thread(self._store, self._taken())

    def _taken(self) -> Mapping[KeyId, datetime]:
        used, self._used = self._used, {}
        return used

    def _store(self, used: Mapping[KeyId, datetime]) -> None:
        if not used:
            return
        try:
            with self._pool.transaction() as conn:
                accounts.note_use(conn, used)
        except psycopg.Error as error:  # it is a convenience: nobody waits for it, and nothing is tried again
            log.warning("key_uses_not_written", keys=len(used), error=repr(error))
