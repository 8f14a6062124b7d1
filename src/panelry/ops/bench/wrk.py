"""The load: wrk, a compiled generator that takes little of the machine, and a script that reads every answer."""

import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from panelry.ops.bench.figures import Figures
from panelry.ops.session import CommandFailed

SCRIPT: Final = Path(__file__).with_name("wrk.lua")
THREADS: Final = 1
TIMEOUT: Final = "30s"
FORM: Final = "Content-Type: application/x-www-form-urlencoded"
_TOLD: Final = re.compile(r"^= ([a-z0-9_]+) (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Bodies to send in turn, in which `@` stands for a text that is used once, and the one answer that is right.

    In that answer order ids end after `ord_`.
    """

    bodies: Sequence[str]
    right: bytes
    headers: Sequence[str] = (FORM,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a load saw: so many calls were answered rightly, and at its end up to `cut_off` waited for an answer."""

    figures: Figures
    answered: int
    cut_off: int


def program() -> str:
    """Return where wrk is. Raises `CommandFailed` with how to get it."""
    found = shutil.which("wrk")
    if found is None:
        raise CommandFailed("wrk is not installed: apt install wrk, dnf install wrk, or brew install wrk")
    return found


def load(url: str, requests: Requests, *, callers: int, seconds: float) -> Load:
    """Send requests over so many connections, each waiting for its answer before it asks again.

    Raises `CommandFailed` where an answer was wrong or missing: there are no figures from refused calls. Times are
    corrected for the requests that a slow answer kept from being sent, as wrk has it.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "headers").write_text("\n".join(requests.headers))
        (place / "bodies").write_text("\n".join(requests.bodies))
        (place / "right").write_bytes(requests.right)
        options = [f"-t{THREADS}", f"-c{callers}", f"-d{max(1, round(seconds))}s", "--timeout", TIMEOUT]
        done = subprocess.run(
            [program(), *options, "-s", SCRIPT, url, "--", folder, secrets.token_hex(4)],
            capture_output=True,
            text=True,
            check=False,
        )
    told = dict(_TOLD.findall(done.stdout))
    if done.returncode or "calls" not in told:
        raise CommandFailed(f"wrk failed: {(done.stderr or done.stdout)[-500:]}")
    return _judged(told, callers)


def _judged(told: dict[str, str], callers: int) -> Load:
    calls, lost, wrong = int(told["calls"]), int(told["lost"]), int(told["wrong"])
    if lost or wrong:
        reason = (
            f"{wrong} of {calls} answers were wrong, {lost} calls had none; the first: {told['first_wrong']}"
        )
        raise CommandFailed(reason, {"verified": False, "wrong": [reason]})
    figures = Figures(
        per_second=calls / int(told["microseconds"]) * 1e6,
        p50_ms=float(told["p50_microseconds"]) / 1000,
        p99_ms=float(told["p99_microseconds"]) / 1000,
    )
    return Load(figures=figures, answered=calls, cut_off=callers)
