"""The outbox: a letter is written once, sent once, tried again, given up."""

from datetime import timedelta
from uuid import uuid4

import pytest

from given import Given
from panelry.database.pool import Conn, Pool
from panelry.domain import letters
from panelry.domain.letters import Claimed, Letter, Sending
from panelry.domain.letters.rules import WAITS, wait_after

LEASE = timedelta(minutes=5)
BUSY = Sending(sent=False, message="450 busy\0")


@pytest.fixture
def pool(module_pool: Pool) -> Pool:
    """Work where nobody else's letters wait."""
    return module_pool


def write(conn: Conn, reference: str | None = None) -> None:
    letters.write(
        conn, Letter(recipient="owner@example.com", template="a", data={"n": 1}, reference=reference)
    )


def claim(conn: Conn, most: int = 10) -> list[Claimed]:
    return letters.claim(conn, most=most, lease=LEASE)


def states(conn: Conn) -> list[tuple[str, int]]:
    return conn.execute("SELECT state, attempt FROM letters ORDER BY created_at, id").fetchall()


def test_a_letter_of_one_reference_is_written_once(conn: Conn) -> None:
    reference = uuid4().hex
    for _ in range(3):
        write(conn, reference)
    write(conn)
    write(conn)
    assert len(states(conn)) == 3


def test_a_letter_is_claimed_by_one_engine_until_its_lease_ends(conn: Conn, given: Given) -> None:
    write(conn)
    [one] = claim(conn)
    assert (one.data, one.attempt) == ({"n": 1}, 1)
    assert claim(conn) == []
    given.later("6 minutes")
    [again] = claim(conn)
    assert (again.id, again.attempt) == (one.id, 2)


def test_what_was_sent_is_sent_no_more_whatever_an_older_attempt_says(conn: Conn, given: Given) -> None:
    write(conn)
    [first] = claim(conn)
    given.later("6 minutes")
    [second] = claim(conn)
    letters.record(conn, first, BUSY)
    letters.record(conn, second, Sending(sent=True))
    letters.record(conn, first, Sending(sent=False, may_try_again=False))
    given.later("1 day")
    assert states(conn) == [("sent", 2)]
    assert claim(conn) == []


def test_a_letter_is_tried_ever_more_rarely_and_then_given_up(conn: Conn, given: Given) -> None:
    write(conn)
    passed = timedelta()
    for number, wait in enumerate(WAITS, start=1):
        [one] = claim(conn)
        assert one.attempt == number
        letters.record(conn, one, BUSY)
        given.later(str(passed + wait - timedelta(seconds=1)))
        assert claim(conn) == []
        passed += wait + timedelta(seconds=1)
        given.later(str(passed))
    [last] = claim(conn)
    letters.record(conn, last, BUSY)
    assert states(conn) == [("failed", len(WAITS) + 1)]
    assert wait_after(len(WAITS) + 1) is None


def test_a_letter_that_is_refused_for_good_is_not_tried_again(conn: Conn, given: Given) -> None:
    write(conn)
    [one] = claim(conn)
    letters.record(conn, one, Sending(sent=False, message="550", may_try_again=False))
    given.later("1 day")
    assert claim(conn) == []
    assert states(conn) == [("failed", 1)]


def test_without_a_mail_server_letters_wait_a_week(conn: Conn, given: Given) -> None:
    write(conn)
    assert letters.backlog(conn).waiting == 1
    given.later("167 hours")
    assert letters.give_up(conn) == 0
    given.later("169 hours")
    assert letters.give_up(conn) == 1
    assert letters.backlog(conn).waiting == 0
    assert states(conn) == [("failed", 0)]
