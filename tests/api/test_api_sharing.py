"""Windows that several processes share: exact together, alone with their share, and together again."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import pytest
from structlog.testing import capture_logs
from test_api_windows import Hand

import minutes
import servers
from panelry.api.sharing import SharedWindows
from panelry.api.windows import Bucket, Layer, OwnWindows, Taken, minute
from valkeys import Valkey

T = TypeVar("T")
LIMIT = 20
KEY = Bucket(layer=Layer.KEY, whom="key", limit=LIMIT)
TIER = Bucket(layer=Layer.TIER, whom="tier", limit=LIMIT + 5)


@asynccontextmanager
async def process(
    url: str, *, processes: int = 2, now: Callable[[], int] = minute, starts: bool = True
) -> AsyncIterator[SharedWindows]:
    own = OwnWindows(processes=lambda: processes, now=now)
    windows = SharedWindows(url, own, processes=lambda: processes, now=now)
    if starts:
        await windows.start()
    try:
        yield windows
    finally:
        await windows.stop()


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 100))


async def crowd(windows: SharedWindows, *buckets: Bucket, calls: int = 100) -> list[Taken]:
    return await asyncio.gather(*(windows.take(buckets) for _ in range(calls)))


def passed(taken: Sequence[Taken]) -> int:
    return sum(one.denied is None for one in taken)


def test_two_processes_let_through_exactly_the_limit_together(shared: Valkey) -> None:
    async def both() -> tuple[list[Taken], list[Taken]]:
        async with process(shared.url) as one, process(shared.unix_url) as other:
            await asyncio.to_thread(minutes.with_left, 10)
            return await asyncio.gather(crowd(one, KEY), crowd(other, KEY))

    first, second = run(both())
    assert passed(first) + passed(second) == LIMIT
    left = sorted(one.left[0] for one in [*first, *second] if one.denied is None)
    assert left == list(range(LIMIT)), "each unit is given once"
    assert {one.resets_at % 60 for one in [*first, *second]} == {0}
    assert {one.denied for one in [*first, *second]} == {None, 0}


def test_what_one_bucket_denies_no_other_pays_for(shared: Valkey) -> None:
    async def ask() -> list[Taken]:
        async with process(shared.url) as windows:
            await asyncio.to_thread(minutes.with_left, 10)
            await crowd(windows, KEY, TIER)
            other = Bucket(layer=Layer.KEY, whom="other key", limit=LIMIT)
            looked = await windows.take([other, TIER], 0)
            return [looked, *await crowd(windows, other, TIER, calls=9)]

    looked, *taken = run(ask())
    assert (list(looked.left), looked.denied) == ([LIMIT, 5], None)
    assert [one.denied for one in taken] == [None] * 5 + [1] * 4


def test_what_is_kept_ends_with_its_minute_and_has_a_name_of_ours(shared: Valkey) -> None:
    async def ask() -> Taken:
        async with process(shared.url) as windows:
            return await windows.take([KEY, Bucket(layer=Layer.IP, whom="2001:db8::/64", limit=3)])

    resets_at = run(ask()).resets_at
    names = set(map(bytes, shared.client.keys()))
    assert names == {b"panelry:key:key", b"panelry:ip:2001:db8::/64"}
    assert {shared.client.expiretime(name) for name in names} == {resets_at}


def test_a_crowd_goes_in_few_round_trips(shared: Valkey) -> None:
    async def ask() -> None:
        async with process(shared.url) as windows:
            await crowd(windows, KEY, TIER, calls=500)

    run(ask())
    calls = shared.client.info("commandstats")["cmdstat_evalsha"]["calls"]
    assert calls <= 5


def test_a_process_that_cannot_reach_it_goes_on_with_its_share(folder: object) -> None:
    async def ask() -> list[Taken]:
        async with process(f"redis://127.0.0.1:{servers.free_port()}") as windows:
            assert windows.is_alone
            await asyncio.to_thread(minutes.with_left, 10)
            return await crowd(windows, KEY)

    with capture_logs() as logs:
        assert passed(run(ask())) == LIMIT / 2
    assert [(line["event"], line["log_level"]) for line in logs] == [("limits_alone", "error")]


def test_when_it_dies_the_total_stays_within_the_limit_and_later_all_count_together_again(
    shared: Valkey,
) -> None:
    """Each of two processes took a half before, as requests that are spread over processes do."""
    hand = Hand()

    async def live() -> list[int]:
        async with process(shared.url, now=hand) as one, process(shared.url, now=hand) as other:
            await asyncio.to_thread(minutes.with_left, 10)
            both = (one, other)
            totals = [sum([passed(await crowd(windows, KEY, calls=5)) for windows in both])]
            shared.kill()
            began = time.monotonic()
            totals.append(sum([passed(await crowd(windows, KEY)) for windows in both]))
            assert time.monotonic() - began < 1
            assert one.is_alone
            shared.start()
            await asyncio.sleep(1.5)
            totals.append(sum([passed(await crowd(windows, KEY)) for windows in both]))
            assert one.is_alone, "what it knew of this minute is lost"
            hand.minute += 1
            assert not one.is_alone
            totals.append(sum([passed(await crowd(windows, KEY)) for windows in both]))
            await asyncio.sleep(1.5)
            return totals

    with capture_logs() as logs:
        assert run(live()) == [10, LIMIT - 10, 0, LIMIT]
    assert [line["event"] for line in logs] == ["limits_alone"] * 2 + ["limits_shared_again"] * 2


@contextmanager
def silence() -> Any:
    """Listen, and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"


def test_one_that_hangs_delays_nobody_for_long(shared: Valkey) -> None:
    async def ask() -> tuple[float, int]:
        with silence() as url:
            async with process(url, starts=False) as windows:
                windows._is_there = True
                began = time.monotonic()
                taken = await crowd(windows, KEY)
                first = time.monotonic() - began
                return first, passed(taken)

    took, let_through = run(ask())
    assert took < 0.5
    assert let_through == LIMIT / 2


def test_one_that_was_paused_is_found_again(shared: Valkey) -> None:
    hand = Hand()

    async def live() -> None:
        async with process(shared.url, now=hand) as windows:
            await windows.take([KEY])
            assert shared.process
            shared.process.send_signal(19)  # SIGSTOP
            for _ in range(3):
                await windows.take([KEY])
            assert windows.is_alone
            shared.process.send_signal(18)  # SIGCONT
            hand.minute += 1
            for _ in range(40):
                await asyncio.sleep(0.1)
                if not windows.is_alone:
                    break
            assert not windows.is_alone

    run(live())


def test_over_tls_they_count_as_well_and_only_with_a_certificate_that_is_known(shared: Valkey) -> None:
    async def ask(url: str) -> bool:
        async with process(url) as windows:
            taken = await windows.take([KEY])
            return taken.denied is None and not windows.is_alone

    assert run(ask(shared.tls_url))
    assert shared.client.get(KEY.name) == b"1"
    with capture_logs() as logs:
        assert not run(ask(shared.tls_url.partition("?")[0]))
    [line] = logs
    assert "CERTIFICATE_VERIFY_FAILED" in line["error"]


def test_a_wrong_password_is_an_alarm_and_not_told(shared: Valkey) -> None:
    async def ask() -> None:
        async with process(shared.url.replace("password", "passw0rd")) as windows:
            assert windows.is_alone

    with capture_logs() as logs:
        run(ask())
    [line] = logs
    assert line["event"] == "limits_alone"
    assert "passw0rd" not in str(line)


@pytest.mark.parametrize("units", [0, 1])
def test_a_scripts_cache_that_was_emptied_costs_nothing(shared: Valkey, units: int) -> None:
    async def ask() -> Taken:
        async with process(shared.url) as windows:
            await windows.take([KEY], 0)
            shared.client.script_flush()
            assert (await windows.take([KEY], units)).denied is None
            assert not windows.is_alone
            return await windows.take([KEY], 0)

    assert list(run(ask()).left) == [LIMIT - units]
