"""How many calls to a provider may start: bounded in flight, within a second, and while most of them fail."""

import pytest

from connectors.upstreams import provider
from panelry.engine.gates import BREAKER_CALLS, Gate

PROVIDER = provider("http://127.0.0.1:9/api/v2")


def _after(calls: int, failures: int) -> Gate:
    gate = Gate()
    for number in range(calls):
        gate._reserved += 1
        gate.start()
        gate.end(failed=number < failures)
    gate._starts.clear()  # their second is over
    return gate


def test_what_is_reserved_is_not_given_twice() -> None:
    gate = Gate()
    assert gate.reserve(PROVIDER) == PROVIDER.max_in_flight
    assert gate.reserve(PROVIDER) == 0
    gate.give_back(3)
    assert gate.reserve(PROVIDER) == 3


def test_no_more_is_reserved_than_is_asked_for() -> None:
    gate = Gate()
    assert [gate.reserve(PROVIDER, most=most) for most in (3, 0, 100)] == [3, 0, PROVIDER.max_in_flight - 3]


def test_calls_that_ended_count_against_the_second() -> None:
    gate = Gate()
    for _ in range(PROVIDER.per_second):
        assert gate.reserve(PROVIDER) > 0
        gate.give_back(gate._reserved - 1)
        gate.start()
        gate.end(failed=False)
    assert gate.reserve(PROVIDER) == 0


@pytest.mark.parametrize(
    ("calls", "failures", "is_open"),
    [
        (BREAKER_CALLS, 0, True),
        (BREAKER_CALLS, BREAKER_CALLS // 2 - 1, True),
        (BREAKER_CALLS, BREAKER_CALLS // 2, False),
        (BREAKER_CALLS - 1, BREAKER_CALLS - 1, True),
    ],
)
def test_a_provider_that_mostly_fails_gets_no_further_orders(
    calls: int, failures: int, *, is_open: bool
) -> None:
    assert (_after(calls, failures).reserve(PROVIDER) > 0) is is_open
