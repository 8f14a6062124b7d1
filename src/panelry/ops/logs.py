"""Logs: one JSON object a line on stderr, ours and our libraries', uncaught exceptions too, secrets never."""

import logging
import sys
import threading
from types import TracebackType
from typing import Any, Final

import msgspec
import structlog

from panelry.ops import reporting
from panelry.ops.redaction import redact_all
from panelry.settings import Settings

DEVELOPMENT_BANNER: Final = (
    "########################################################################",
    "##  DEVELOPMENT MODE (PANELRY_DEVELOPMENT=1): private addresses and   ##",
    "##  plain http are allowed. Never on a machine that others can reach. ##",
    "########################################################################",
)


def configure(settings: Settings, *, level: int = logging.INFO) -> None:
    """Send everything through one formatter; libraries from WARNING up. Errors are reported where that is set up."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        *reporting.start(settings),
        structlog.processors.format_exc_info,
    ]
    # Ours go straight to stderr: a line for each request may cost no tenth of what the request costs.
    structlog.configure(
        processors=[*shared, _redact, structlog.processors.JSONRenderer(serializer=_json)],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _redact,
            structlog.processors.JSONRenderer(serializer=_json),
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


def warn_of_development(settings: Settings) -> None:
    """Say loudly that this must not be a public machine."""
    if settings.development:
        structlog.get_logger("panelry").warning("development_mode", banner=DEVELOPMENT_BANNER)


def _redact(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {name: redact_all(value) for name, value in event.items()}


def _json(event: Any, **_: Any) -> bytes:
    return msgspec.json.encode(event)


def _text(_: Any, __: str, line: Any) -> Any:
    return line.decode()


def _uncaught_in_thread(of: threading.ExceptHookArgs) -> None:
    if of.exc_value is not None:
        _uncaught(of.exc_type, of.exc_value, of.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    logging.getLogger("panelry").critical("uncaught", exc_info=(kind, error, traceback))
