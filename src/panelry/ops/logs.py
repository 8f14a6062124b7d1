"""Logs: one JSON object a line on stderr, ours and our libraries', uncaught exceptions too, secrets never."""

import asyncio
import atexit
import logging
import sys
import threading
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, BinaryIO, Final

import msgspec
import structlog

from panelry import clock
from panelry.ops import reporting
from panelry.ops.redaction import may_hold_secrets, redact_all
from panelry.settings import Settings

DEVELOPMENT_BANNER: Final = (
    "########################################################################",
    "##  DEVELOPMENT MODE (PANELRY_DEVELOPMENT=1): private addresses and   ##",
    "##  plain http are allowed. Never on a machine that others can reach. ##",
    "########################################################################",
)
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_encode: Final = msgspec.json.Encoder().encode


def configure(settings: Settings, *, level: int = logging.INFO) -> None:
    """Send everything through one formatter; libraries from WARNING up. Errors are reported where that is set up."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        *reporting.start(settings),
        structlog.processors.format_exc_info,
    ]
    last: list[structlog.typing.Processor] = [_redact, _stamp, _render]
    # Ours go straight to stderr: a line for each request may cost no tenth of what the request costs.
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: LINES,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *last,
            _text,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("panelry").setLevel(level)
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


class Lines:
    """Writes lines: warnings and worse at once, others together with all that come while a loop goes round once.

    A write for each request would let other threads run each time, and waiting for them costs more than the request.
    """

    def __init__(self, file: BinaryIO | None = None) -> None:
        """Write to this file or to stderr; what waits at the end of the program, too."""
        self._own_file = file
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        atexit.register(self.flush)

    def msg(self, line: bytes) -> None:
        """Write a line, after those that wait."""
        with self._lock:
            self._waiting.append(line)
        self.flush()

    warning = warn = error = err = critical = fatal = exception = failure = msg

    def info(self, line: bytes) -> None:
        """Write a line soon."""
        with self._lock:
            self._waiting.append(line)
            is_first = len(self._waiting) == 1
        if is_first:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:  # there is none
                self.flush()

    debug = log = info

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if waiting:
                file = self._own_file or sys.stderr.buffer
                file.write(b"\n".join([*waiting, b""]))
                file.flush()


LINES: Final = Lines()


class _Request(msgspec.Struct, kw_only=True, gc=False):
    request_id: str
    action: str
    status: int
    milliseconds: float
    account: str | None
    timestamp: str
    event: str = "request"
    level: str = "info"


def tell_request(
    *, request_id: str, action: str, status: int, milliseconds: float, account: str | None
) -> None:
    """Write the line of a finished request as the API's own log would, past all that its other lines need.

    Every word of it is ours, so there is no secret to look for.
    """
    line = _Request(
        request_id=request_id,
        action=action,
        status=status,
        milliseconds=milliseconds,
        account=account,
        timestamp=_now(),
    )
    LINES.info(_encode(line))


def warn_of_development(settings: Settings) -> None:
    """Say loudly that this must not be a public machine."""
    if settings.development:
        structlog.get_logger("panelry").warning("development_mode", banner=DEVELOPMENT_BANNER)


def _stamp(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event["timestamp"] = _now()
    return event


def _now() -> str:
    seconds, milliseconds = divmod(clock.unix_milliseconds(), 1000)
    return f"{_second(seconds)}.{milliseconds:03}Z"


@lru_cache(maxsize=2)
def _second(unix: int) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _redact(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Hide secrets; in most lines one look at all of their texts tells that there is none."""
    if _PLAIN.issuperset(map(type, event.values())):
        texts = [value for value in event.values() if type(value) is str]
        if not may_hold_secrets("\n".join(texts)):
            return event
    return {name: redact_all(value) for name, value in event.items()}


def _render(_: Any, __: str, event: structlog.typing.EventDict) -> bytes:
    return _encode(event)


def _text(_: Any, __: str, line: Any) -> Any:
    return line.decode()


def _uncaught_in_thread(of: threading.ExceptHookArgs) -> None:
    if of.exc_value is not None:
        _uncaught(of.exc_type, of.exc_value, of.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logging.getLogger("panelry").critical("uncaught", exc_info=(kind, error, traceback))
