"""Sets that a process beside ours does."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import doubling
import pytest

from panelry.api.batching import Gathering, Unavailable
from panelry.api.beside import Beside, SetFailed

Scene = Callable[[Beside[int, Any]], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scene], None]:
    """Play a scene with a process beside ours."""

    def start(descriptor: int) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, doubling.__file__, str(tmp_path / "mark"), str(descriptor)]
        return subprocess.Popen(arguments, pass_fds=[descriptor])

    async def play(scene: Scene) -> None:
        beside: Beside[int, Any] = Beside("double", start)
        await beside.start()
        try:
            await scene(beside)
        finally:
            await beside.close()

    return lambda scene: asyncio.run(asyncio.wait_for(play(scene), 30))


def test_sets_are_answered_in_order_and_refusals_with_their_details(play: Callable[[Scene], None]) -> None:
    async def scene(beside: Beside[int, Any]) -> None:
        assert await beside([1, 2]) == [2, 4]
        one, refused = await beside([3, doubling.REFUSED])
        assert one == 6
        assert (type(refused).__name__, refused.details) == ("InsufficientBalance", {"needed": "1.50"})
        large = list(range(1_000, 200_000))
        assert await beside(large) == [2 * n for n in large]

    play(scene)


def test_a_set_in_which_the_process_dies_is_done_by_the_next_process(play: Callable[[Scene], None]) -> None:
    async def scene(beside: Beside[int, Any]) -> None:
        first = beside.pid
        assert await beside([doubling.DIES_ONCE]) == [28]
        assert beside.pid != first

    play(scene)


def test_a_process_that_was_killed_between_sets_is_not_missed(play: Callable[[Scene], None]) -> None:
    async def scene(beside: Beside[int, Any]) -> None:
        assert beside.pid is not None
        os.kill(beside.pid, signal.SIGKILL)
        assert await beside([5]) == [10]

    play(scene)


def test_a_set_that_kills_again_is_an_outage_and_the_next_set_is_done(play: Callable[[Scene], None]) -> None:
    async def scene(beside: Beside[int, Any]) -> None:
        with pytest.raises(Unavailable):
            await beside([doubling.DIES])
        assert await beside([5]) == [10]

    play(scene)


def test_without_a_database_it_is_unavailable_and_stays(play: Callable[[Scene], None]) -> None:
    async def scene(beside: Beside[int, Any]) -> None:
        first = beside.pid
        with pytest.raises(Unavailable):
            await beside([doubling.NO_DATABASE])
        assert (await beside([5]), beside.pid) == ([10], first)

    play(scene)


def test_one_poisoned_item_does_not_fail_the_others(play: Callable[[Scene], None]) -> None:
    async def scene(beside: Beside[int, Any]) -> None:
        gathering = Gathering(beside, most=256)
        items = [1, 2, doubling.FAILS, 3]
        got = await asyncio.gather(*map(gathering.ask, items), return_exceptions=True)
        assert [*got[:2], got[3]] == [2, 4, 6]
        assert isinstance(got[2], SetFailed)

    play(scene)


def test_closing_ends_the_process(play: Callable[[Scene], None]) -> None:
    async def scene(beside: Beside[int, Any]) -> None:
        process = beside.pid
        assert process is not None
        await beside.close()
        assert beside.pid is None
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)

    play(scene)
