"""Laws of ids: 128 bits, ordered by time, with exactly one spelling each."""

import copy
from uuid import UUID

import pytest
from hypothesis import example
from hypothesis import given as for_all
from hypothesis import strategies as st

from panelry import clock
from panelry.domain import ids

UUIDS = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))
LARGEST = "ord_7" + "Z" * 25


@for_all(UUIDS)
def test_reading_is_the_exact_inverse_of_showing(id_: UUID) -> None:
    assert ids.parse(ids.ORDER, ids.show(ids.ORDER, id_)) == id_


@for_all(UUIDS)
def test_what_was_read_or_made_is_a_uuid_like_any_other(id_: UUID) -> None:
    read = ids.parse(ids.ORDER, ids.show(ids.ORDER, id_))
    assert read is not None
    made = ids.new()
    for ours, other in ((read, id_), (made, UUID(int=made.int)), (copy.copy(read), id_)):
        assert (ours, hash(ours), str(ours), repr(ours)) == (other, hash(other), str(other), repr(other))
        assert (ours.bytes, ours.version, ours.is_safe) == (other.bytes, other.version, other.is_safe)


@for_all(st.text(alphabet=ids.ALPHABET + "ILOUabz !", min_size=26, max_size=26))
@example("7" + "Z" * 25)
@example("8" + "0" * 25)
@example("0" * 26)
def test_whatever_can_be_read_is_spelt_as_it_would_be_shown(digits: str) -> None:
    id_ = ids.parse(ids.ORDER, "ord_" + digits)
    assert id_ is None or ids.show(ids.ORDER, id_) == "ord_" + digits


@for_all(st.text(max_size=40))
def test_other_text_is_no_id_and_no_error(text: str) -> None:
    id_ = ids.parse(ids.ORDER, text)
    assert id_ is None or ids.show(ids.ORDER, id_) == text


@pytest.mark.parametrize(
    "text",
    [
        LARGEST.lower(), LARGEST.upper(), "ord_8" + "Z" * 25, LARGEST + "\n", " " + LARGEST, LARGEST[:-1], LARGEST + "0",
        "ref_" + LARGEST[4:], LARGEST[4:], "ord_ord_" + LARGEST[8:], "ord_" + "O" * 26, "ord_" + "I" * 26, "ord_" + "U" * 26,
        "ord_" + "\uff10" * 26, "ord_-" + "0" * 25, "", "ord_", "1234",
    ],
)  # fmt: skip
def test_another_spelling_of_an_id_is_no_id(text: str) -> None:
    assert ids.parse(ids.ORDER, text) is None


def test_the_largest_id_can_be_read() -> None:
    assert ids.parse(ids.ORDER, LARGEST) == UUID(int=2**128 - 1)


@for_all(UUIDS, UUIDS)
def test_shown_ids_sort_as_the_ids_themselves(one: UUID, other: UUID) -> None:
    assert (one < other) == (ids.show("", one) < ids.show("", other))


def test_ids_are_version_7_carry_their_time_and_never_repeat() -> None:
    before = clock.unix_milliseconds()
    made = [ids.new() for _ in range(20_000)]
    after = clock.unix_milliseconds()
    assert len(set(made)) == len(made)
    assert {(id_.version, id_.variant) for id_ in made} == {(7, "specified in RFC 4122")}
    times = [id_.int >> 80 for id_ in made]
    assert times == sorted(times)
    assert before <= times[0]
    assert times[-1] <= after


def test_every_random_bit_of_an_id_varies() -> None:
    made = [ids.new().int for _ in range(200)]
    fixed = 0xF << 76 | 0x3 << 62
    ever_set, always_set = 0, -1
    for number in made:
        ever_set |= number
        always_set &= number
    low = (1 << 80) - 1
    assert ever_set & low & ~fixed == low & ~fixed
    assert always_set & low & ~fixed == 0
