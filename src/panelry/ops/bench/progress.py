"""What whoever waits for a benchmark sees: a bar on stderr for each of its steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar

Advance = Callable[[int], None]
LOOKS_PER_SECOND: Final = 2  # drawing takes its share of what is measured


class Steps:
    """The steps of one benchmark. Nothing is shown where it is `quiet`, or where nobody sits before stderr."""

    def __init__(self, *, quiet: bool, console: Console | None = None) -> None:
        """Show steps on stderr, or on another console."""
        self._console = console or Console(stderr=True)
        self._quiet = quiet or not self._console.is_terminal

    @contextmanager
    def __call__(
        self, name: str, *, seconds: float | None = None, total: int | None = None
    ) -> Iterator[Advance]:
        """Show a step while it lasts: with `seconds` its bar runs with the clock, with `total` as `advance` is told."""
        columns = (TextColumn("{task.description}"), _Bar(), TimeElapsedColumn())
        with Progress(
            *columns if total is None else (*columns, MofNCompleteColumn()),
            console=self._console,
            disable=self._quiet,
            refresh_per_second=LOOKS_PER_SECOND,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as progress:
            task = progress.add_task(name, total=seconds or total, by_clock=seconds is not None)
            yield lambda count: progress.advance(task, count)
            if total is None:
                progress.update(task, completed=seconds or 1, total=seconds or 1)


class _Bar(BarColumn):
    def render(self, task: Task) -> ProgressBar:
        if task.fields["by_clock"] and task.total is not None and not task.finished:
            task.completed = min(task.elapsed or 0.0, task.total)
        return super().render(task)
