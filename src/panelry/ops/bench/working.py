"""One engine at work in a process of its own, for a while, and what it says that it did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import Any, Final

from panelry.ops.bench import memory
from panelry.ops.bench.children import child
from panelry.ops.bench.figures import Figures, figures
from panelry.ops.bench.ground import Ground
from panelry.ops.session import CommandFailed

STARTING_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What an engine told: each time when and what, how much of it, and the seconds that the database took.

    `measured` is what it told of one thing while that counted; `told` is all, to the end of what it had begun.
    """

    told: Sequence[dict[str, Any]]
    measured: Sequence[dict[str, Any]]
    memory_mb: int

    def total(self, event: str, name: str) -> int:
        """Return the sum of a count over all that it told of one thing."""
        return sum(one[name] for one in self.told if one["event"] == event)

    def per_second(self, name: str) -> float:
        """Return how much of a count it did in a second; its first word is when the clock began to run."""
        first, *others = self.measured
        return float(sum(one[name] for one in others) / (others[-1]["at"] - first["at"]))

    def figures(self) -> Figures:
        """Return how much it did in a second, and how long one transaction took."""
        measured = figures([one["seconds"] for one in self.measured], during=1)
        return replace(measured, per_second=self.per_second("count"))


def work(
    ground: Ground, event: str, *, until: int, seconds: float, meanwhile: Callable[[], None] = lambda: None
) -> Work:
    """Let an engine work for so many seconds from its first word of a thing, or until it did so much of it.

    `meanwhile` runs here when it has started. Raises `CommandFailed` where the engine did nothing.
    """
    told: list[dict[str, Any]] = []
    started, begun, done = Event(), Event(), Event()
    where = {"PANELRY_DATA": str(ground.settings.data), "DATABASE_URL": ground.url}
    with child("panelry.ops.bench.worker", **where, PANELRY_DEVELOPMENT="1") as engine:

        def listen() -> None:
            left = until
            for one in engine.lines():
                told.append(one)
                started.set()
                if one["event"] == event:
                    begun.set()
                    left -= one["count"]
                if left <= 0:
                    done.set()

        listening = Thread(target=listen, daemon=True)
        listening.start()
        if started.wait(STARTING_SECONDS):
            meanwhile()
        if not begun.wait(STARTING_SECONDS):
            raise CommandFailed("the engine did nothing; stderr says why", {"verified": False})
        done.wait(seconds)
        memory_mb = memory.peaks(ground.settings.data, {"engine": engine.pid})["engine"]
        engine.tell_to_end()
        listening.join()
    of_it = [one for one in told if one["event"] == event]
    measured = [one for one in of_it if one["at"] < of_it[0]["at"] + seconds]
    return Work(told=told, measured=measured, memory_mb=memory_mb)
