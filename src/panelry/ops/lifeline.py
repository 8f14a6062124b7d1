"""No child outlives its parent: each watches a pipe that only the parent's death can close."""

import os
import signal
import threading
from typing import Final

from panelry import clock

LAST_RESORT_SECONDS: Final = 12.0


def watch(descriptor: int) -> None:
    """End this process when the other end of a pipe is gone: gently first, then at once."""

    def wait() -> None:
        while os.read(descriptor, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        until = clock.monotonic() + LAST_RESORT_SECONDS
        while clock.monotonic() < until:
            threading.Event().wait(0.5)
        os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
