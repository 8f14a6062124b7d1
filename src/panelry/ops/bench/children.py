"""The processes that a benchmark measures or calls: each a module of its own, which ends with the benchmark."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from panelry import settings as panelry_settings
from panelry.ops.session import CommandFailed

END_SECONDS: Final = 15.0


class Child:
    """A process that speaks in lines of JSON on stdout."""

    def __init__(self, module: str, process: "subprocess.Popen[bytes]") -> None:
        """Listen to a process that runs a module."""
        self._module = module
        self._process = process

    @property
    def pid(self) -> int:
        """Return the process's id."""
        return self._process.pid

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield what it says, until it ends."""
        assert self._process.stdout is not None
        return map(json.loads, self._process.stdout)

    def next(self) -> dict[str, Any]:
        """Return the next that it says. Raises `CommandFailed` where it has ended."""
        said = next(self.lines(), None)
        if said is None:
            raise CommandFailed(f"{self._module} has ended; stderr says why", {"verified": False})
        return said

    def tell_to_end(self) -> None:
        """Let it come to its end, and say its last lines."""
        self._process.terminate()

    def end(self) -> None:
        """Have it gone: gently, and after a while at once."""
        self._process.terminate()
        try:
            self._process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


@contextmanager
def child(module: str, **environment: str) -> Iterator[Child]:
    """Lend a process of one module with these settings and no other ones; it has ended afterwards."""
    lifeline, own_end = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        env=panelry_settings.clean_environment(PANELRY_LIFELINE=str(lifeline), **environment),
        pass_fds=[lifeline],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches us alone, and our end ends it
    )
    os.close(lifeline)
    one = Child(module, process)
    try:
        yield one
    finally:
        one.end()
        os.close(own_end)
