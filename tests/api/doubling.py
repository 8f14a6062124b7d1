"""A program that doubles numbers for whoever started it, and has its ways of failing."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psycopg

from panelry.api import beside
from panelry.api.batching import steady
from panelry.domain.ledger import InsufficientBalance
from panelry.domain.refusals import Refusal

FAILS: Final = 0
DIES: Final = 13
DIES_ONCE: Final = 14
REFUSED: Final = 99
NO_DATABASE: Final = 100


def main(mark: Path, descriptor: int) -> None:
    """Serve; what has died once leaves a mark."""

    def double(items: Sequence[int]) -> Sequence[int | Refusal]:
        if DIES in items or (DIES_ONCE in items and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if NO_DATABASE in items:
            raise psycopg.OperationalError("gone")
        assert FAILS not in items
        return [InsufficientBalance(needed="1.50") if n == REFUSED else n * 2 for n in items]

    beside.serve(descriptor, steady(double, lambda: None))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
