"""What it takes to go through all the books: `panelry ledger verify`, as operators run it."""

import json
import os
import subprocess
import sys
from typing import Any

from panelry import settings as panelry_settings
from panelry.ops.bench.ground import Ground
from panelry.ops.session import CommandFailed


def verified(ground: Ground) -> dict[str, Any]:
    """Verify all of it and return how long that took, how many transfers a second, and the most memory of the process.

    Raises `CommandFailed` with what is wrong.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "panelry", "ledger", "verify", "--json", "--data", str(ground.settings.data)],
        env=panelry_settings.clean_environment(DATABASE_URL=ground.url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    with process.stdout as said:
        answer = json.loads(said.read() or b"{}")
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        wrong = [f"{one['account']} {one['row']}: {one['problem']}" for one in answer.get("wrong", [])]
        reason = wrong[0] if wrong else answer.get("error", "`panelry ledger verify` ended without an answer")
        raise CommandFailed(f"the books are wrong: {reason}", {"verified": False, "wrong": wrong})
    kilobytes = used.ru_maxrss / 1024 if sys.platform == "darwin" else used.ru_maxrss
    return {
        "seconds": answer["seconds"],
        "transfers": answer["transfers"],
        "transfers_per_second": answer["transfers_per_second"],
        "memory_mb": round(kilobytes / 1024),
    }
