"""Bodies that are no body: the specified error, never a fault, nothing written."""

import json
from typing import Final
from urllib.parse import urlencode

import pytest
from books import Books
from doors import FORM, JSON, Door
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from panelry.api import forms
from panelry.contract import MalformedBody

Order = dict[str, str]
MALFORMED: Final = (400, "Malformed request body")
MULTIPART: Final = "multipart/form-data; boundary=b0undary"
MIB: Final = 1024 * 1024


def multipart(fields: Order) -> bytes:
    parts = [
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return ("".join(parts) + "--b0undary--\r\n").encode()


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"[]", b'"x"', b"1", b"null", b"true", b"{", b'{"key"', b'{"key":', b'{"key":"x"', b'{"key":"x",}', b"{'key':'x'}",
     b'{"key":"x"}x', b'{"key":"x"}{}', b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":1e999}', b'{"a":Infinity}', b"{1:2}", b"key=x",
     '{"key":"x"}'.encode("utf-16"), b'{"a":' * 100_000, b"[" * 500_000, b'{"a":"\\x"}', b'{"a":"\\u12"}', b'{"a":"\n"}',
     b"{" + b",".join(b'"%d":1' % n for n in range(21_000)) + b"}"],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_what_is_no_flat_json_object_is_malformed(door: Door, books: Books, body: bytes) -> None:
    with books.untouched():
        for content_type in (JSON, "application/json; charset=utf-8", " APPLICATION/JSON ;x"):
            assert door.send(body, content_type).error == MALFORMED


@pytest.mark.parametrize("length", range(1, 60, 7))
def test_a_cut_off_json_body_is_malformed(door: Door, books: Books, order: Order, length: int) -> None:
    with books.untouched():
        assert door.send(json.dumps(order).encode()[:-length], JSON).error == MALFORMED


def test_a_cut_off_form_is_a_shorter_form(door: Door, books: Books, order: Order) -> None:
    body = "&".join(f"{name}={value}" for name, value in order.items())
    short = body[: body.index("&request_id")]
    with books.untouched():
        assert door.send(short.encode()).error == (400, "Missing required parameter: request_id")


@pytest.mark.parametrize("escape", ["%", "%4", "%zz", "%u0041", "100%", "%%"])
def test_what_only_looks_like_an_escape_is_itself(escape: str) -> None:
    assert forms.read(FORM, f"a={escape}".encode()) == {"a": escape}


@pytest.mark.parametrize("count", [20_001, 21_000, 500_000])
def test_too_many_fields_are_malformed(door: Door, books: Books, count: int) -> None:
    with books.untouched():
        for field in (b"a=", b"&", b"orders[]=x"):
            body = b"&".join([field] * count)[:MIB]
            if body.count(b"&") >= 20_000:
                assert door.send(body).error == MALFORMED


def test_every_cut_of_a_multipart_body_is_malformed(order: Order) -> None:
    body = multipart(order)
    assert forms.read(MULTIPART, body) == order
    end = len(body) - len("\r\n")
    assert forms.read(MULTIPART, body[:end]) == order
    for length in range(end):
        with pytest.raises(MalformedBody):
            forms.read(MULTIPART, body[:length])


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=other", 'multipart/form-data; boundary="',
     "multipart/form-data; charset=utf-8", "multipart/form-data; boundary=" + "x" * 300, "multipart/form-data; boundary=\xff\xfe",
     "MULTIPART/FORM-DATA"],
)  # fmt: skip
def test_multipart_needs_its_own_boundary(door: Door, books: Books, order: Order, content_type: str) -> None:
    with books.untouched():
        assert door.send(multipart(order), content_type).error == MALFORMED


@pytest.mark.parametrize(
    "part",
    [b'Content-Disposition: form-data; name="a"; filename="a.txt"\r\n\r\nx', b'Content-Disposition: form-data; name="a"; filename=""\r\n\r\n',
     b"Content-Disposition: form-data\r\n\r\nx", b"\r\nx", b"x", b'Content-Disposition: form-data; name="a"\r\n\r\n\xff',
     b'Content-Disposition: form-data; name="a"\r\n\r\n\0', b'Content-Disposition: form-data; name="\xff"\r\n\r\nx', b": x\r\n\r\nx",
     b'Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!', b"a" * 100_000 + b": x\r\n\r\nx",
     b"\r\n".join(b"h%d: x" % n for n in range(1000)) + b"\r\n\r\nx"],
    ids=lambda part: repr(part[:70]),
)  # fmt: skip
def test_parts_that_are_no_fields_are_malformed(door: Door, books: Books, order: Order, part: bytes) -> None:
    body = b"--b0undary\r\n" + part + b"\r\n" + multipart(order)
    with books.untouched():
        assert door.send(body, MULTIPART).error == MALFORMED


def test_a_thousand_parts_are_enough_for_everybody(door: Door, order: Order) -> None:
    fields = {f"f{n}": "x" for n in range(900)}
    assert door.send(multipart({**fields, **order}), MULTIPART).order
    part = b'--b0undary\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    assert door.send(part * 12_000 + b"--b0undary--", MULTIPART).error == MALFORMED


def test_multipart_values_are_read_like_all_others(order: Order) -> None:
    assert forms.read(MULTIPART, multipart({"a": " 1 ", "b": "", "ñ": "“x”", "orders[]": "y"})) == {
        "a": "1",
        "ñ": "“x”",
        "orders": "y",
    }


@pytest.mark.parametrize(
    "content_type",
    [None, "", ";", "text/plain", "application/octet-stream", "application/jsonp", "multipart/mixed; boundary=x", "x" * 5000, "\xff", "text/json"],
)  # fmt: skip
def test_any_other_content_type_is_a_form(door: Door, order: Order, content_type: str | None) -> None:
    body = "&".join(f"{name}={value}" for name, value in order.items()).encode()
    assert door.send(body, content_type).order
    assert door.send(json.dumps(order).encode(), content_type).error == (400, "Invalid API key")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "post", ""])
def test_only_post_is_answered(door: Door, books: Books, order: Order, method: str) -> None:
    body = "&".join(f"{name}={value}" for name, value in order.items()).encode()
    with books.untouched():
        reply = door.send(body, method=method)
    assert (reply.error, reply.headers["allow"]) == ((405, "Method not allowed"), "POST")


def test_a_body_has_at_most_one_mebibyte(door: Door, books: Books, order: Order) -> None:
    body = "&".join(f"{name}={value}" for name, value in order.items()).encode() + b"&x="
    full = body.ljust(MIB, b"x")
    with books.untouched():
        for over in (full + b"x", full * 2):
            assert door.send(over).error == (413, "Request body too large")
        for length in (MIB + 1, 10**18, 10**400):
            reply = door.send(b"", headers={"content-length": str(length)})
            assert reply.error == (413, "Request body too large")
    assert door.send(full).order


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300),
    content_type=st.sampled_from([FORM, JSON, MULTIPART]) | st.text('abc/;=" \x00\xff', max_size=30),
)
def test_no_bytes_at_all_are_a_fault(door: Door, body: bytes, content_type: str) -> None:
    assert door.send(body, content_type).status == 400


PARTS = st.lists(
    st.sampled_from([b"--b0undary", b"--", b"\r\n", b"\n", b"content-disposition: form-data; name=a", b'; name="key"', b"x", b": ", b"\0",
                     b"content-transfer-encoding: quoted-printable", b"=F", b"content-transfer-encoding: base64", b"; filename=x", b"\xff"]),
    max_size=25,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=PARTS)
def test_no_shreds_of_multipart_are_a_fault(door: Door, parts: list[bytes]) -> None:
    assert door.send(b"--b0undary\r\n" + b"".join(parts) + b"\r\n--b0undary--", MULTIPART).status == 400


@settings(max_examples=200, deadline=None)
@given(
    fields=st.dictionaries(
        st.text("abcxyz_ñ", min_size=1), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
    )
)
def test_all_three_kinds_of_body_say_the_same(fields: Order) -> None:
    expected = {name: text for name, value in fields.items() if (text := value.strip(" \t\r\n\f\v"))}
    assert forms.read(FORM, urlencode(fields).encode()) == expected
    assert forms.read(JSON, json.dumps(fields).encode()) == expected
    if fields and not any('"' in name or "\\" in name for name in fields):
        assert forms.read(MULTIPART, multipart(fields)) == expected
