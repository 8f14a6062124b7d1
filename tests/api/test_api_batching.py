"""Gathering callers into sets."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import psycopg
import pytest
from doors import Door
from psycopg_pool import PoolTimeout

from given import Customer
from panelry.api.batching import Gathering, Unavailable, in_thread

Order = dict[str, str]
Work = Callable[[Sequence[int]], Sequence[int]]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


class Doubling:
    """Doubles numbers and remembers the sets; it waits for `gate` and fails for what is in `poison`."""

    def __init__(self, *poison: int) -> None:
        self.sets: list[list[int]] = []
        self.poison = set(poison)
        self.gate = threading.Event()
        self.gate.set()
        self.recovered = 0

    def __call__(self, items: Sequence[int]) -> list[int]:
        assert self.gate.wait(10)
        self.sets.append(list(items))
        if found := self.poison & set(items):
            raise ZeroDivisionError(found)
        return [item * 2 for item in items]

    def recover(self) -> None:
        self.recovered += 1

    def gather(self, threads: ThreadPoolExecutor, work: Work | None = None) -> Gathering[int, int]:
        return Gathering(in_thread(work or self, threads, recover=self.recover), most=256)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 20))


async def ask_all(gathering: Gathering[int, int], items: Sequence[int]) -> list[Any]:
    return await asyncio.gather(*map(gathering.ask, items), return_exceptions=True)


def test_each_caller_gets_its_own_answer(threads: ThreadPoolExecutor) -> None:
    gathering = Doubling().gather(threads)
    assert run(ask_all(gathering, range(1000))) == [2 * n for n in range(1000)]


def test_what_waits_becomes_a_set_of_at_most_256(threads: ThreadPoolExecutor) -> None:
    work = Doubling()
    run(ask_all(work.gather(threads), range(600)))
    assert [len(items) for items in work.sets] == [256, 256, 88]
    assert list(chain.from_iterable(work.sets)) == list(range(600))


def test_one_caller_alone_does_not_wait_for_others(threads: ThreadPoolExecutor) -> None:
    work = Doubling()
    assert run(ask_all(work.gather(threads), [21])) == [42]
    assert work.sets == [[21]]


def test_one_set_at_a_time(threads: ThreadPoolExecutor) -> None:
    work = Doubling()
    work.gate.clear()

    async def scene() -> None:
        gathering = work.gather(threads)
        first = asyncio.ensure_future(gathering.ask(1))
        await asyncio.sleep(0.05)
        rest = [asyncio.ensure_future(gathering.ask(n)) for n in (2, 3)]
        await asyncio.sleep(0.05)
        work.gate.set()
        assert await asyncio.gather(first, *rest) == [2, 4, 6]

    run(scene())
    assert work.sets == [[1], [2, 3]]


@pytest.mark.parametrize("poison", [[0], [99], [0, 50, 99]])
def test_one_poisoned_item_does_not_fail_the_others(threads: ThreadPoolExecutor, poison: list[int]) -> None:
    work = Doubling(*poison)
    answers = run(ask_all(work.gather(threads), range(100)))
    assert {n for n, answer in enumerate(answers) if isinstance(answer, ZeroDivisionError)} == set(poison)
    assert all(answer == 2 * n for n, answer in enumerate(answers) if n not in poison)
    assert len(work.sets) <= 1 + 16 * len(poison), "halves find it without trying all one by one"


def test_a_set_with_too_few_answers_is_a_fault_and_not_a_wait(threads: ThreadPoolExecutor) -> None:
    gathering = Doubling().gather(threads, lambda items: [1] * (len(items) // 2))
    assert all(isinstance(answer, AssertionError) for answer in run(ask_all(gathering, range(3))))


def test_a_caller_who_leaves_does_no_harm(threads: ThreadPoolExecutor) -> None:
    work = Doubling()
    work.gate.clear()

    async def scene() -> list[int]:
        gathering = work.gather(threads)
        tasks = [asyncio.ensure_future(gathering.ask(n)) for n in range(5)]
        await asyncio.sleep(0.05)
        late = [asyncio.ensure_future(gathering.ask(n)) for n in range(5, 10)]
        await asyncio.sleep(0)
        for task in (tasks[0], tasks[4], late[0], late[2]):
            task.cancel()
        await asyncio.sleep(0)
        work.gate.set()
        return await asyncio.gather(*tasks[1:4], late[1], *late[3:])

    assert run(scene()) == [2, 4, 6, 12, 16, 18]
    assert work.sets == [[0, 1, 2, 3, 4], [6, 8, 9]], "who has gone before its turn is not asked for"


def lost(*, times: int, kind: type[Exception] = psycopg.OperationalError) -> Work:
    left = [kind("gone")] * times

    def work(items: Sequence[int]) -> list[int]:
        if left:
            raise left.pop()
        return [item * 2 for item in items]

    return work


@pytest.mark.parametrize(
    "kind", [psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.AdminShutdown]
)
def test_a_lost_connection_is_survived_once(threads: ThreadPoolExecutor, kind: type[Exception]) -> None:
    work = Doubling()
    gathering = work.gather(threads, lost(times=1, kind=kind))
    assert run(ask_all(gathering, [1, 2])) == [2, 4]
    assert work.recovered == 1


def test_a_second_loss_is_an_outage_for_all_who_wait(threads: ThreadPoolExecutor) -> None:
    work = Doubling()
    gathering = work.gather(threads, lost(times=2))
    answers = run(ask_all(gathering, range(600)))
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert run(ask_all(gathering, [1])) == [2]


def test_who_could_get_no_connection_does_not_wait_for_one_again(threads: ThreadPoolExecutor) -> None:
    work = Doubling()
    [answer] = run(ask_all(work.gather(threads, lost(times=1, kind=PoolTimeout)), [1]))
    assert isinstance(answer, Unavailable)
    assert work.recovered == 0


def test_requests_under_load_become_sets(door: Door, customer: Customer, order: Order) -> None:
    gathering = door.api._calls._place
    perform, sizes = gathering._perform, list[int]()

    def watched(drafts: Any) -> Any:
        sizes.append(len(drafts))
        return perform(drafts)

    gathering._perform = watched

    async def load() -> list[str]:
        calls = [door.form({**order, "quantity": "10", "request_id": f"load-{n}"}) for n in range(600)]
        return [reply.order for reply in await asyncio.gather(*calls)]

    try:
        assert len(set(door.run(load()))) == 600
    finally:
        gathering._perform = perform
    assert sum(sizes) == 600
    assert max(sizes) <= 256
    assert len(sizes) <= 6, sizes


def test_a_draft_that_breaks_its_set_breaks_nobody_elses(door: Door, order: Order) -> None:
    gathering = door.api._calls._place
    perform = gathering._perform

    def fragile(drafts: Any) -> Any:
        assert all(draft.request_id != "poison" for draft in drafts)
        return perform(drafts)

    gathering._perform = fragile

    async def load() -> list[Any]:
        ids = [f"set-{n}" for n in range(40)]
        ids[17] = "poison"
        return await asyncio.gather(*[door.form({**order, "request_id": id_}) for id_ in ids])

    try:
        replies = door.run(load())
    finally:
        gathering._perform = perform
    assert [n for n, reply in enumerate(replies) if reply.status != 200] == [17]
    assert replies[17].error == (500, "Internal error")
    assert len({reply.order for reply in replies if reply.status == 200}) == 39


def test_twins_in_flight_are_one_order(door: Door, order: Order) -> None:
    async def load() -> list[Any]:
        return await asyncio.gather(*[door.form(order) for _ in range(50)])

    replies = door.run(load())
    assert len({reply.body for reply in replies}) == 1
    assert [reply.headers.get("idempotent-replayed") for reply in replies].count(None) == 1


def test_a_refused_large_order_does_not_hold_back_a_small_one(door: Door, order: Order) -> None:
    async def load() -> list[Any]:
        large = {**order, "quantity": "900000", "request_id": "large"}
        small = [{**order, "request_id": f"small-{n}"} for n in range(5)]
        return await asyncio.gather(*map(door.form, [small[0], large, *small[1:]]))

    replies = door.run(load())
    assert [reply.status for reply in replies] == [200, 400, 200, 200, 200, 200]
    assert replies[1].error == (400, "Insufficient balance")
