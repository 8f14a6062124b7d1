"""When a delivery is tried again, and when its endpoint is given up."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panelry.domain.webhooks import DeliveryState, Result
from panelry.domain.webhooks.rules.schedule import (
    LONGEST_ASKED,
    WAITS,
    after_attempt,
    after_result,
    asked_wait,
    disabled_for,
)
from panelry.domain.webhooks.values import Standing

AT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
OK = Result(took_milliseconds=1, status=200)
BAD = Result(took_milliseconds=1, status=500)
LOST = Result(took_milliseconds=1, error="no complete answer within 15 s")
DAY = timedelta(days=1)
attempts = st.integers(1, len(WAITS))
jitters = st.floats(-1, 1)
statuses = st.one_of(st.none(), st.integers(100, 599))


def failed(retry_after: str | None) -> Result:
    return Result(took_milliseconds=1, status=503, retry_after=retry_after)


def test_the_schedule_is_the_promised_one() -> None:
    hours = [round(wait.total_seconds() / 3600, 4) for wait in WAITS]
    assert hours == [round(5 / 3600, 4), round(5 / 60, 4), 0.5, 2, 5, 10, 14, 20, 24]


@given(st.integers(1, 50), jitters, statuses)
def test_2xx_is_success_and_all_else_is_failure(attempt: int, jitter: float, status: int | None) -> None:
    result = Result(took_milliseconds=1, status=status, error="" if status else "lost")
    verdict = after_attempt(attempt, result, at=AT, jitter=jitter)
    is_success = status in range(200, 300)
    assert (verdict.to is DeliveryState.DELIVERED) == is_success == result.is_success
    assert (verdict.due_at is None) == (verdict.to is not DeliveryState.WAITING)
    assert (verdict.to is DeliveryState.EXHAUSTED) == (not is_success and attempt > len(WAITS))


@given(attempts, jitters)
def test_the_next_attempt_is_due_within_ten_percent_of_its_time(attempt: int, jitter: float) -> None:
    due = after_attempt(attempt, BAD, at=AT, jitter=jitter).due_at
    assert due is not None
    assert WAITS[attempt - 1] * 0.9 <= due - AT <= WAITS[attempt - 1] * 1.1
    assert after_attempt(attempt, BAD, at=AT, jitter=0).due_at == AT + WAITS[attempt - 1]


@given(attempts, jitters, st.integers(0, 999_999_999))
def test_what_the_endpoint_asks_for_is_waited_for_up_to_a_day_and_never_shortens_a_wait(
    attempt: int, jitter: float, seconds: int
) -> None:
    plain = after_attempt(attempt, BAD, at=AT, jitter=jitter).due_at
    asked = after_attempt(attempt, failed(str(seconds)), at=AT, jitter=jitter).due_at
    dated = after_attempt(
        attempt,
        failed(format_datetime(AT + timedelta(seconds=min(seconds, 10**9)), usegmt=True)),
        at=AT,
        jitter=jitter,
    ).due_at
    assert plain is not None
    assert asked == dated == max(plain, AT + min(timedelta(seconds=seconds), DAY))


@given(st.text())
def test_whatever_an_endpoint_asks_for_is_nothing_or_up_to_a_day(text: str) -> None:
    assert timedelta(0) <= asked_wait(text, at=AT) <= LONGEST_ASKED


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("Sun, 22 Nov 2026 03:05:05 GMT", 60),
        ("Sun, 22 Nov 2026 04:05:05 +0100", 60),
        ("Sunday, 22-Nov-26 03:05:05 GMT", 60),
        ("Sun, 22 Nov 2026 03:05:05 -0000", 60),
        ("Sun, 22 Nov 2026 01:05:05 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Sun, 22 Nov 99999999999999999999 03:05:05 GMT", 0),
        ("Sun, 22 Nov 2026 03:05:05 +9999", 0),
        ("1.5", 0),
        ("-5", 0),
        ("soon", 0),
        ("٣", 0),
        ("", 0),
        (None, 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, seconds: int) -> None:
    assert asked_wait(text, at=AT) == timedelta(seconds=seconds)


def test_an_endpoint_fails_since_its_first_failure_after_its_last_success() -> None:
    standing = Standing()
    for hours, result in enumerate([OK, BAD, LOST, BAD]):
        standing = after_result(standing, result, at=AT + timedelta(hours=hours))
    assert standing == Standing(
        failing_since=AT + timedelta(hours=1),
        last_attempt_at=AT + timedelta(hours=3),
        last_result="HTTP 500",
        last_success_at=AT,
    )
    better = after_result(standing, OK, at=AT + DAY)
    assert (better.failing_since, better.last_success_at, better.last_result) == (None, AT + DAY, "HTTP 200")
    assert after_result(standing, LOST, at=AT + DAY).last_result == LOST.error


@given(st.lists(st.tuples(st.integers(0, 48), st.booleans()), max_size=30))
def test_only_five_days_of_nothing_but_failures_disable_an_endpoint(steps: list[tuple[int, bool]]) -> None:
    at, standing, first = AT, Standing(), None
    for hours, succeeds in steps:
        at += timedelta(hours=hours)
        result = OK if succeeds else BAD
        standing = after_result(standing, result, at=at)
        first = None if succeeds else first or at
        is_over = first is not None and at - first >= 5 * DAY
        assert disabled_for(standing, result, at=at) == ("failing" if is_over else None)


def test_an_endpoint_that_is_gone_is_disabled_at_once() -> None:
    gone = Result(took_milliseconds=1, status=410)
    assert disabled_for(after_result(Standing(last_success_at=AT), gone, at=AT), gone, at=AT) == "gone"
