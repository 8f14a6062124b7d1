"""Signals: a command ends as by an exception, and once it is leaving nothing interrupts it."""

import signal
import sys
import threading
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def end_on_signals() -> None:
    """Let a signal end the program as an exception does, so that no server is left running."""
    for number in ENDING:
        signal.signal(number, _leave)


def stop_on_signals() -> threading.Event:
    """Return an event that a signal sets."""
    stop = threading.Event()
    for number in ENDING:
        signal.signal(number, lambda *_: stop.set())
    return stop


def ignore_signals() -> None:
    """Be deaf from now on: what is being stopped must not be left half stopped."""
    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            signal.signal(number, lambda *_: None)


def _leave(number: int, _frame: object) -> None:
    ignore_signals()
    sys.exit(128 + number)
