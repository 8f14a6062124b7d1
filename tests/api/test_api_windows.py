"""Windows of one minute: never more than the limit, always as many as the limit, and nothing kept for long."""

import tracemalloc
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panelry import clock
from panelry.api.windows import WINDOW_SECONDS, Bucket, Layer, OwnWindows, Taken, minute

KEY = Bucket(layer=Layer.KEY, whom="key", limit=3)
TIER = Bucket(layer=Layer.TIER, whom="tier", limit=5)


class Hand:
    """The hand of a clock, moved by hand."""

    def __init__(self) -> None:
        self.minute = 1000

    def __call__(self) -> int:
        return self.minute


def windows(hand: Callable[[], int], *, processes: int = 1, most: int = 1000) -> OwnWindows:
    return OwnWindows(processes=lambda: processes, now=hand, most=most)


def take(counting: OwnWindows, *buckets: Bucket, units: int = 1) -> Taken:
    return counting.take(buckets, units)


def test_the_limit_is_reached_and_never_passed() -> None:
    counting = windows(Hand())
    assert [take(counting, KEY).denied for _ in range(5)] == [None, None, None, 0, 0]


def test_a_new_minute_begins_anew_for_all_at_once() -> None:
    hand = Hand()
    counting = windows(hand)
    ends = [take(counting, KEY).resets_at for _ in range(4)]
    hand.minute += 1
    again = take(counting, KEY)
    assert (again.denied, list(again.left)) == (None, [2])
    assert {*ends, again.resets_at - WINDOW_SECONDS} == {1001 * WINDOW_SECONDS}


def test_a_clock_that_was_set_back_locks_nobody_out() -> None:
    hand = Hand()
    counting = windows(hand)
    for _ in range(4):
        take(counting, KEY)
    hand.minute -= 500
    assert take(counting, KEY).denied is None


def test_the_minutes_are_those_of_the_clock() -> None:
    before = clock.unix_milliseconds()
    found = minute()
    assert before // 60_000 <= found <= clock.unix_milliseconds() // 60_000


def test_what_one_bucket_denies_no_other_pays_for() -> None:
    counting = windows(Hand())
    for _ in range(3):
        take(counting, KEY, TIER)
    for _ in range(9):
        assert take(counting, KEY, TIER).denied == 0
    other = Bucket(layer=Layer.KEY, whom="other key", limit=3)
    assert [take(counting, other, TIER).denied for _ in range(3)] == [None, None, 1]
    assert list(take(counting, other, units=0).left) == [1]


def test_looking_takes_nothing() -> None:
    counting = windows(Hand())
    for _ in range(9):
        looked = take(counting, KEY, TIER, units=0)
        assert (looked.denied, list(looked.left)) == (None, [3, 5])


def test_a_limit_that_was_lowered_denies_at_once() -> None:
    counting = windows(Hand())
    for _ in range(3):
        take(counting, KEY)
    lowered = take(counting, Bucket(layer=Layer.KEY, whom="key", limit=1), units=0)
    assert list(lowered.left) == [0]


Request = tuple[int, Sequence[str]]
requests = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([("a", "t"), ("b", "t"), ("c", "u"), ("a",)])), max_size=120
)


@given(asked=requests, limit=st.integers(1, 9), tier=st.integers(1, 20))
@settings(max_examples=200)
def test_in_every_minute_exactly_those_are_let_through_for_whom_there_is_room(
    asked: list[Request], limit: int, tier: int
) -> None:
    hand = Hand()
    counting = windows(hand)
    let_through: Counter[tuple[int, str]] = Counter()
    for passing, whom in asked:
        hand.minute += passing
        buckets = [
            Bucket(layer=Layer.KEY if name in "abc" else Layer.TIER, whom=name, limit=limit if name in "abc" else tier)
            for name in whom
        ]  # fmt: skip
        room = [bucket.limit - let_through[hand.minute, bucket.whom] for bucket in buckets]
        taken = take(counting, *buckets)
        assert taken.denied == next((place for place, left in enumerate(room) if left == 0), None)
        if taken.denied is None:
            let_through.update((hand.minute, name) for name in whom)
            room = [left - 1 for left in room]
        assert list(taken.left) == room


@pytest.mark.parametrize(
    ("limit", "processes", "share"), [(100, 2, 50), (100, 3, 34), (1, 5, 1), (7, 1, 7), (7, 0, 7)]
)
def test_each_of_several_processes_has_its_share_rounded_up(limit: int, processes: int, share: int) -> None:
    counting = windows(Hand(), processes=processes)
    bucket = Bucket(layer=Layer.KEY, whom="key", limit=limit)
    answers = [take(counting, bucket).denied for _ in range(limit + 1)]
    assert answers.count(None) == share


def test_many_callers_never_get_more_than_the_limit() -> None:
    counting = windows(Hand())
    bucket = Bucket(layer=Layer.KEY, whom="key", limit=100)
    taken = [take(counting, bucket) for _ in range(1000)]
    assert sum(one.denied is None for one in taken) == 100
    assert sorted(one.left[0] for one in taken if one.denied is None) == list(range(100))


def test_millions_of_addresses_do_not_fill_the_memory() -> None:
    hand = Hand()
    counting = windows(hand, most=1000)
    key = Bucket(layer=Layer.KEY, whom="key", limit=10)

    def flood(first: int) -> None:
        for number in range(first, first + 20_000):
            take(counting, Bucket(layer=Layer.IP, whom=f"{number}", limit=5))

    take(counting, key)
    tracemalloc.start()
    flood(0)
    before, _ = tracemalloc.get_traced_memory()
    for first in range(1, 6):
        flood(first * 20_000)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(counting._addresses) == 1000
    assert after < before * 1.5
    assert list(take(counting, key, units=0).left) == [9], "keys are never forgotten for addresses"
    hand.minute += 1
    take(counting, key)
    assert not counting._addresses, "what belongs to an earlier minute is dropped"
