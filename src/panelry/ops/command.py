"""How a function becomes a command: every one takes `--data` and `--json`, and ends with the same exit codes."""

import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from panelry.ops import signals
from panelry.ops.session import CommandFailed, Session

Data = Annotated[
    Path | None, typer.Option("--data", help="The data directory (default ./data, or PANELRY_DATA).")
]
Json = Annotated[bool, typer.Option("--json", help="Answer with exactly one JSON document.")]


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add a function that takes a `Session` first to `app`, with `--data` and `--json` added to its own options.

    It ends with 0 when it returns, 1 with the reason on stderr when it was refused or found something wrong, 2 after
    wrong usage, 128 and the signal's number after a signal.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*args: Any, data: Path | None, json: bool, **options: Any) -> None:
            _run(function, Session(data=data, json=json), args, options)

        parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        ours = [
            inspect.Parameter("data", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Data),
            inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json),
        ]
        run.__signature__ = inspect.Signature([*parameters, *ours])  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in (*parameters, *ours)}
        app.command(name)(run)
        return function

    return register


def _run(function: Callable[..., None], session: Session, args: Any, options: dict[str, Any]) -> None:
    signals.end_on_signals()
    try:
        function(session, *args, **options)
    except typer.BadParameter:
        raise
    except CommandFailed as failed:
        session.fail(str(failed), failed.value)
        sys.exit(1)
    except Exception as error:
        reason = _reason(error)
        session.fail(reason or f"this is a bug of Panelry: {type(error).__name__}")
        if reason is None:
            raise
        sys.exit(1)


def _reason(error: Exception) -> str | None:
    """Say why an expected trouble ended a command; `None` for a bug."""
    import psycopg

    from panelry.database.embedded import ClusterError
    from panelry.domain.refusals import PermanentFailure, Refusal, TemporaryFailure
    from panelry.settings import InvalidSetting

    match error:
        case Refusal() | TemporaryFailure() | PermanentFailure() | InvalidSetting() | ClusterError():
            return str(error)
        case psycopg.OperationalError(sqlstate=None):
            return f"the database cannot be reached: {str(error).strip()}"
        case psycopg.OperationalError() | psycopg.errors.InsufficientPrivilege():
            return f"the database says: {str(error).strip()}"
        case UnicodeEncodeError():
            return "an argument is not valid text"
        case OSError(strerror=str(text)):
            return f"{text}: {error.filename}" if error.filename else text
        case _:
            return None
