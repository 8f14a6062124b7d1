"""Bad values of every field of every action, in every kind of body: the specified error, and nothing is written."""

import json
from typing import Any, Final

import pytest
from books import Books
from doors import JSON, Door, Reply
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from given import Customer
from panelry.domain.catalog import ServiceId

Order = dict[str, str]
MALFORMED: Final = (400, "Malformed request body")
FIELDS: Final = ("key", "action", "service", "link", "quantity", "request_id")

NOT_NUMBERS: Final = [
    "1e3",
    "\uff11\uff10\uff10",
    "+5",
    "-1",
    "0",
    "000",
    "1.0",
    "1,000",
    "0x10",
    "١٢",
    "²",
    "1_000",
    "five",
    "5 5",
    "NaN",
    "inf",
    "1\u00a0",
]


def missing(name: str) -> tuple[int, str]:
    return (400, "Invalid API key" if name == "key" else f"Missing required parameter: {name}")


def send_json(door: Door, fields: dict[str, Any]) -> Reply:
    return door.send(json.dumps(fields).encode(), JSON)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_is_absent_or_empty_is_missing(
    door: Door, books: Books, order: Order, name: str
) -> None:
    rest = {key: value for key, value in order.items() if key != name}
    with books.untouched():
        assert door.post(rest).error == missing(name)
        for blank in ("", " ", "\t\r\n\f\v "):
            assert door.post(rest | {name: blank}).error == missing(name)
            assert send_json(door, rest | {name: blank}).error == missing(name)


@pytest.mark.parametrize("name", FIELDS)
def test_the_last_of_a_repeated_field_counts(door: Door, order: Order, name: str) -> None:
    assert door.post([*order.items(), (name, "")]).error == missing(name)
    assert door.post([(name, "x"), *order.items()]).order
    replayed = door.post([*order.items(), (name, "x"), (name, order[name])])
    assert replayed.headers["idempotent-replayed"] == "true"
    pairs = [f'"{name}":"x"', *(f'"{key}":"{value}"' for key, value in order.items())]
    assert door.send(("{" + ",".join(pairs) + "}").encode(), JSON).status == 200


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_numbers_are_ascii_digits_above_zero(door: Door, books: Books, order: Order, text: str) -> None:
    with books.untouched():
        for name in ("service", "runs", "interval"):
            assert door.post(order | {name: text}).error == (400, f"{name} must be a positive integer")
        for send in (door.post, lambda fields: send_json(door, fields)):
            assert send(order | {"quantity": text}).error == (400, "Quantity must be a positive integer")


@pytest.mark.parametrize("text", ["100", " 100 ", "0100", "0" * 60 + "100", "\t100\r\n"])
def test_zeros_before_and_spaces_around_a_number_do_not_matter(door: Door, order: Order, text: str) -> None:
    first = door.post(order)
    assert door.post(order | {"quantity": text, "service": f" 00{order['service']}"}).order == first.order


@pytest.mark.parametrize("value", [1.0, 1e3, 0.5, True, False, None, [], {}, [1], {"a": "b"}], ids=repr)
@pytest.mark.parametrize("name", [*FIELDS, "unknown"])
def test_json_values_are_strings_and_integers(
    door: Door, books: Books, order: Order, name: str, value: object
) -> None:
    with books.untouched():
        assert send_json(door, order | {name: value}).error == MALFORMED


def test_integers_in_json_are_numbers(door: Door, order: Order, service: ServiceId) -> None:
    first = send_json(door, {**order, "service": service, "quantity": 100, "request_id": 4711})
    assert door.post(order | {"request_id": "4711"}).order == first.order


@pytest.mark.parametrize("number", [-1, 0, -(10**30)])
def test_integers_in_json_are_positive(door: Door, books: Books, order: Order, number: int) -> None:
    with books.untouched():
        assert send_json(door, order | {"service": number}).error == (
            400,
            "service must be a positive integer",
        )
        assert send_json(door, order | {"quantity": number}).error == (
            400,
            "Quantity must be a positive integer",
        )


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, 2**63, 2**64, 10**40, 10**300])
def test_huge_integers_are_out_of_range_and_no_fault(
    door: Door, books: Books, order: Order, number: int
) -> None:
    with books.untouched():
        for send in (door.post, lambda fields: send_json(door, fields)):
            assert send(order | {"service": number}).error == (400, "Service not found")
            expected = (400, "Quantity must be between 10 and 1000000")
            assert send(order | {"quantity": number}).error == expected
            runs = send(order | {"runs": number, "interval": number})
            assert runs.error == (400, "Drip-feed is not available for this service")
    assert door.send(b'{"key":%s}' % (b"9" * 5000), JSON).error == MALFORMED


@pytest.mark.parametrize("name", [*FIELDS, "unknown"])
def test_nul_is_malformed_in_every_field_and_body(door: Door, books: Books, order: Order, name: str) -> None:
    with books.untouched():
        for text in ("\0", "a\0b", order.get(name, "") + "\0"):
            assert door.post(order | {name: text}).error == MALFORMED
            assert send_json(door, order | {name: text}).error == MALFORMED
        assert door.post({**order, f"{name}\0": "x"}).error == MALFORMED
        assert door.send(f"{name}=a\0".encode()).error == MALFORMED


@pytest.mark.parametrize(
    "raw", [b"%FF", b"\xff", b"%ED%A0%80", b"\xed\xa0\x80", b"%C0%80", b"\xc3", b"%F5%80%80%80"]
)
@pytest.mark.parametrize("name", [*FIELDS, "unknown"])
def test_bad_utf_8_is_malformed_in_every_field(
    door: Door, books: Books, order: Order, name: str, raw: bytes
) -> None:
    with books.untouched():
        good = "&".join(f"{key}={value}" for key, value in order.items()).encode()
        for body in (b"%s&%s=a%s" % (good, name.encode(), raw), b"%s&%s%s=a" % (good, name.encode(), raw)):
            assert door.send(body).error == MALFORMED
    if b"%" not in raw:
        assert door.send(b'{"%s":"%s"}' % (name.encode(), raw), JSON).error == MALFORMED


@pytest.mark.parametrize("raw", [b"\\ud800", b"\\udc00", b"\\ud800x", b"\\ud800\\ud800", b"\\udc00\\ud800"])
def test_lone_surrogates_are_malformed(door: Door, books: Books, raw: bytes) -> None:
    with books.untouched():
        for name in FIELDS:
            assert door.send(b'{"%s":"%s"}' % (name.encode(), raw), JSON).error == MALFORMED


def test_a_request_id_has_at_most_128_characters(door: Door, books: Books, order: Order) -> None:
    with books.untouched():
        for length in (129, 1000, 100_000):
            reply = door.post(order | {"request_id": "r" * length})
            assert reply.error == (400, "request_id must be at most 128 characters")


@pytest.mark.parametrize("name", [*FIELDS, "order", "orders", "coupon", "comments", "unknown"])
def test_a_field_of_half_a_megabyte_is_no_fault(
    door: Door, customer: Customer, order: Order, name: str
) -> None:
    for action in ("add", "status", "balance", "services"):
        reply = door.post(order | {"action": action, name: "9" * 500_000})
        assert reply.status in {200, 400}


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f600",
        "\u202e",
        "\ufffe",
        "\ufeff",
        "'; DROP TABLE orders; --",
        "%00",
        "%s",
        "\x01",
        "\x7f",
        "\\",
        '"',
        "{0}",
    ],
)
def test_unusual_request_ids_are_kept_as_they_are(door: Door, order: Order, text: str) -> None:
    first = door.post(order | {"request_id": text})
    again = send_json(door, order | {"request_id": text})
    assert (again.order, again.headers["idempotent-replayed"]) == (first.order, "true")


def test_nothing_that_was_sent_comes_back(door: Door, order: Order) -> None:
    secret = "s3cr3t-that-nobody-may-see"
    for name in (*FIELDS, "runs", "coupon", "order", "orders", "X-Request-Id"):
        for action in ("add", "status"):
            reply = door.post({**order, "action": action, name: secret})
            assert secret.encode() not in reply.body
            assert all(secret not in value for value in reply.headers.values())
            assert order["key"].encode() not in reply.body
    reply = door.send(b"", headers={"x-request-id": secret})
    assert secret not in reply.headers["x-request-id"]


TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from([*NOT_NUMBERS, "1", "100", "ord_" + "0" * 26, "https://x.y", "add", "status"]),
    st.integers().map(str),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(
        st.sampled_from([*FIELDS, "orders", "order", "runs", "coupon", "orders[]"]), TEXTS, min_size=1
    )
)
def test_no_value_of_any_field_is_a_fault(door: Door, order: Order, changes: dict[str, str]) -> None:
    for send in (door.post, lambda fields: send_json(door, fields)):
        assert send({**order, **changes}).status in {200, 400}
