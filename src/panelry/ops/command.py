"""How a function becomes a command: every one takes `--data` and `--json`, and ends with the same exit codes."""

import functools
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from panelry.ops.session import CommandFailed, Session, end_on_signals

Data = Annotated[
    Path | None, typer.Option("--data", help="The data directory (default ./data, or PANELRY_DATA).")
]
Json = Annotated[bool, typer.Option("--json", help="Answer with exactly one JSON document.")]


def command(app: typer.Typer, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add a function that takes a `Session` first to `app`, with `--data` and `--json` added to its own options.

    It ends with 0 when it returns, 1 with the reason on stderr when it was refused or found something wrong, 2 after
    wrong usage.
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
    end_on_signals()
    try:
        function(session, *args, **options)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        reason = _reason(error)
        if reason is None:
            raise
        if session.json:
            value = (
                error.value
                if isinstance(error, CommandFailed) and error.value is not None
                else {"error": reason}
            )
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        sys.stderr.write(f"panelry: {reason}\n")
        sys.exit(1)


def _reason(error: Exception) -> str | None:
    """Say why an expected trouble ended a command; `None` for a bug."""
    import psycopg

    from panelry.database.embedded import ClusterError
    from panelry.domain.refusals import PermanentFailure, Refusal, TemporaryFailure
    from panelry.settings import InvalidSetting

    if isinstance(error, psycopg.OperationalError):
        return f"the database cannot be reached: {str(error).strip()}"
    expected = (CommandFailed, Refusal, TemporaryFailure, PermanentFailure, InvalidSetting, ClusterError)
    return str(error) if isinstance(error, expected) else None
