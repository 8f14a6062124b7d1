"""Sets that a process beside ours does, asked over a socket: an interpreter runs one thread at a time, two run two."""

import asyncio
import pickle
import socket
from collections.abc import Callable, Sequence
from subprocess import Popen, TimeoutExpired
from typing import Any, Final, Generic

import structlog

from panelry.api.batching import Ask, Got, Unavailable, Work

LENGTH_BYTES: Final = 4
ENDING_SECONDS: Final = 5.0
Answer = tuple[Sequence[Any] | None, str]
"""What became of a set: its answers, or `None` and why not; an empty text says that there was no database."""
log = structlog.get_logger()


class SetFailed(Exception):
    """A set failed in the process beside ours; its log has the whole story."""


class Beside(Generic[Ask, Got]):
    """A process beside ours that does one set at a time; it is started again when it ends."""

    def __init__(self, name: str, start: Callable[[int], Popen[bytes]]) -> None:
        """Use the process that `start` starts; it is to `serve` on the descriptor of the socket that it is given.

        `name` is what the log calls it.
        """
        self._name = name
        self._start = start
        self._process: Popen[bytes] | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    @property
    def pid(self) -> int | None:
        """Return the process's id while there is one."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process."""
        ours, its = socket.socketpair()
        with its:
            self._process = self._start(its.fileno())
        self._reader, self._writer = await asyncio.open_unix_connection(sock=ours)

    async def __call__(self, items: Sequence[Ask]) -> Sequence[Got]:
        """Return the answers to a set. Raises `Unavailable` or `SetFailed`.

        Where the process ends in the middle the set is done again, once, so it must be safe to repeat.
        """
        try:
            answers, failure = await self._ask(items)
        except (EOFError, OSError) as error:
            log.warning(
                "part_ended", part=self._name, pid=self.pid, error=repr(error), set_repeated=len(items)
            )
            await self.close()
            try:
                answers, failure = await self._ask(items)
            except (EOFError, OSError) as again:
                await self.close()
                raise Unavailable from again
        if answers is None:
            raise SetFailed(failure) if failure else Unavailable
        return answers

    async def close(self) -> None:
        """Let the process end: it finishes what it is doing."""
        if self._process is not None:
            process, self._process = self._process, None
            self._writer.close()
            await asyncio.to_thread(_end, process)

    async def _ask(self, items: Sequence[Ask]) -> Answer:
        if self._process is None:
            await self.start()
        self._writer.write(_framed(items))
        length = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES))
        answer: Answer = pickle.loads(await self._reader.readexactly(length))  # noqa: S301 (written by our own child)
        return answer


def serve(descriptor: int, work: Work[Ask, Got]) -> None:
    """Do the sets that are asked for on a socket, one after the other, until its other end is closed."""
    with socket.socket(fileno=descriptor) as ours, ours.makefile("rwb") as stream:
        while len(length := stream.read(LENGTH_BYTES)) == LENGTH_BYTES:
            items = pickle.loads(stream.read(int.from_bytes(length)))  # noqa: S301 (written by our own parent)
            stream.write(_framed(_answer(work, items)))
            stream.flush()


def _answer(work: Work[Ask, Got], items: Sequence[Ask]) -> Answer:
    try:
        return work(items), ""
    except Unavailable as error:
        log.warning("database_unavailable", error=repr(error.__cause__))
        return None, ""
    except Exception as error:
        log.exception("set_failed", size=len(items))
        return None, repr(error)


def _framed(value: Any) -> bytes:
    pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return len(pickled).to_bytes(LENGTH_BYTES) + pickled


def _end(process: Popen[bytes]) -> None:
    try:
        process.wait(ENDING_SECONDS)
    except TimeoutExpired:
        process.kill()
        process.wait()
