"""The truth on disk: one JSON line an accepted order, refill and cancel, durable before it is answered.

    {"order": …, "service": 7, "link": …, "quantity": …, "request_id": …, "at": …}
    {"refill": …, "order": …, "at": …}
    {"cancel": …, "order": …, "at": …}

Only orders have a `quantity`: all units bought, so a drip-feed's is quantity times runs, and a package's or a subscription's
the service's minimum. `link` is the user name where the type has no link. Ids stand as they were shown, `at` is ISO 8601.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

Line = Mapping[str, str | int | None]


class Log:
    """An append-only file. Callers that wait at the same time share one fsync."""

    def __init__(self, path: Path) -> None:
        """Open or make the file, dropping a last line that a kill has torn: it was never answered."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab+")
        self._file.seek(0)
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        self._file.truncate(whole)
        self._sync_folder(path.parent)
        self.lines: list[Line] = [json.loads(line) for line in content[:whole].splitlines()]
        self._waiting: list[bytes] = []
        self._appended = self._durable = 0
        self._writing = asyncio.Lock()

    def append(self, line: Line) -> None:
        """Queue a line; it is not durable until `durable` returns."""
        self._waiting.append(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._appended += 1

    async def durable(self) -> None:
        """Return when every line appended so far is on disk. Goes on writing when the caller is cancelled."""
        await asyncio.shield(self._write_up_to(self._appended))

    async def close(self) -> None:
        """Write what is queued, and close the file."""
        await self.durable()
        self._file.close()

    async def _write_up_to(self, count: int) -> None:
        async with self._writing:
            if self._durable >= count:
                return
            lines, reached = b"".join(self._waiting), self._appended
            self._waiting.clear()
            await asyncio.to_thread(self._write, lines)
            self._durable = reached

    def _write(self, lines: bytes) -> None:
        try:
            self._file.write(lines)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            # What is on disk is uncertain: answer nothing that would have to be there, until a restart.
            with contextlib.suppress(OSError):
                self._file.close()
            raise

    @staticmethod
    def _sync_folder(folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
