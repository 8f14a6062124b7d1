"""Errors reported to Sentry, or to what speaks its protocol: the optional extra `panelry[sentry]`.

What is logged as an error is reported, ours and our libraries', and nothing else: no request, no person, no variables of
the program, and no secrets.
"""

from importlib import metadata
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from panelry.ops.redaction import redact_all
from panelry.settings import InvalidSetting, Settings

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

LEVELS: Final = {"error": "error", "exception": "error", "critical": "fatal"}
TAGS: Final = ("request_id", "logger", "action", "loop", "part")
FLUSH_SECONDS: Final = 2.0


def start(settings: Settings) -> list["Processor"]:
    """Return what reports errors on their way into the log; nothing where no DSN is set.

    Raises `InvalidSetting` when the package is missing.
    """
    if settings.sentry_dsn is None:
        return []
    try:
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration
        from sentry_sdk.integrations.dedupe import DedupeIntegration
    except ImportError:
        raise InvalidSetting("PANELRY_SENTRY_DSN needs a package: pip install 'panelry[sentry]'") from None
    try:
        sentry_sdk.init(
            dsn=settings.sentry_dsn,
            release=f"panelry@{metadata.version('panelry')}",
            environment="development" if settings.development else "production",
            send_default_pii=False,
            max_request_body_size="never",
            include_local_variables=False,
            max_breadcrumbs=0,
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[AtexitIntegration(callback=lambda *_: None), DedupeIntegration()],
            shutdown_timeout=FLUSH_SECONDS,
            before_send=_scrub,
        )
    except sentry_sdk.utils.BadDsn:
        raise InvalidSetting("PANELRY_SENTRY_DSN is not a DSN that can be used") from None
    return [_report]


def _report(_: Any, method: str, event: "EventDict") -> "EventDict":
    level = LEVELS.get(method)
    if level is not None:
        import sentry_sdk

        with sentry_sdk.new_scope() as scope:
            scope.set_level(level)  # type: ignore[arg-type]
            for name in TAGS:
                if name in event:
                    scope.set_tag(name, str(event[name]))
            scope.set_context(
                "log", {name: str(value) for name, value in event.items() if name != "exc_info"}
            )
            error = _error(event.get("exc_info"))
            if error is not None:
                scope.capture_exception(error)
            else:
                scope.capture_message(str(event.get("event")), level=level)  # type: ignore[arg-type]
    return event


def _error(
    found: Any,
) -> BaseException | tuple[type[BaseException], BaseException, TracebackType | None] | None:
    """Return the error that `exc_info` speaks of: the error itself, its three parts, or whether there is one."""
    import sys

    match found:
        case BaseException():
            return found
        case (type(), BaseException(), _):
            return found  # type: ignore[no-any-return]
        case None | False:
            return None
        case _:
            return sys.exc_info()[1]


def _scrub(event: Any, _: Any) -> Any:
    for name in ("request", "user", "server_name", "modules", "breadcrumbs"):
        event.pop(name, None)
    return redact_all(event)
