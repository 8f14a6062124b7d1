"""No secret is left in what is logged, however a library writes it; what is no secret stays readable."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panelry.domain.accounts import rules
from panelry.ops.redaction import redact, redact_all

SECRET = "s3cr3t-V4lue"
KEY = rules.key_from(123456789**8)
HOOK = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD/x8y="


@pytest.mark.parametrize(
    "text",
    [
        f"key={SECRET}",
        f"action=add&key={SECRET}&service=1",
        f"https://panel.example/api/v2?key={SECRET}",
        f"api_key={SECRET}, apikey={SECRET}; token={SECRET}",
        f"host=db password={SECRET} user=x",
        f"host=db password='{SECRET} and more {SECRET}' user=x",
        f"postgresql://user:{SECRET}@db/panelry",
        f"could not connect to redis://:{SECRET}@cache:6379/0",
        f"smtp://{SECRET}@mail.example.com",
        f"{{'key': '{SECRET}', 'action': 'add'}}",
        f"{{'password': b'{SECRET}'}}",
        f'{{"key":"{SECRET}"}}',
        json.dumps({"event": json.dumps({"key": SECRET})}),
        json.dumps({"exception": json.dumps({"body": json.dumps({"Api_Key": SECRET})})}),
        f"[('key', '{SECRET}'), ('action', 'add')]",
        f"Authorization: Bearer {SECRET}",
        f"authorization: {SECRET}",
        f"{{'Authorization': 'Basic {SECRET}'}}",
        f"[(b'authorization', b'Token {SECRET}')]",
        json.dumps({"x": f'"authorization": "Bearer {SECRET}"'}),
        f"new_password={SECRET}&password1={SECRET}",
        f"PASSWORD={SECRET}",
    ],
)
def test_a_secret_is_hidden_in_every_dress(text: str) -> None:
    assert SECRET not in redact(text)
    assert "[hidden]" in redact(text)


@pytest.mark.parametrize("around", ["{}", "'{}'", "x{}y", "/{}/", "{}\n", '\\"{}\\"', "key: {}"])
def test_our_own_keys_and_secrets_are_known_by_their_form(around: str) -> None:
    assert KEY[12:] not in redact(around.format(KEY))
    assert KEY[12:30] not in redact(around.format(KEY[:30])), "cut off, too"
    assert HOOK[6:] not in redact(around.format(HOOK))
    assert KEY[:12] in redact(around.format(KEY)), "which people tell their keys apart by"
    quoted = urlencode({"secret": HOOK, "id": KEY})
    assert not {"C2FVsBQI", "oD%2Fx8y"} & {
        part for part in ("C2FVsBQI", "oD%2Fx8y") if part in redact(quoted)
    }


@pytest.mark.parametrize(
    "text",
    [
        "customer@example.com asked for order ord_01KAP4B6Z2X3V8T9QWERTY0ABC",
        '{"event": "request", "action": "add", "status": 200, "account": "01a20528-0747-718d-b13c-3ba466e08549"}',
        'File "app.py", line 3, in answer: keys = sorted(fields)',
        "duplicate key value violates unique constraint",
        "https://example.com/post?id=7 and http://127.0.0.1:8000/",
        "pnl_abcdefgh",
        "DETAIL: Key (account_id)=(7) already exists.",
        "monkey=banana",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(
    st.text(
        st.characters(exclude_characters="'\"\\&,;()[]{} \n", categories=["L", "N", "P", "S"]), min_size=6
    )
)
def test_whatever_a_password_is_made_of_it_is_hidden(password: str) -> None:
    for text in (
        f"key={password}",
        repr({"key": password}),
        json.dumps({"key": password}),
        json.dumps(repr({"key": password})),
    ):
        assert password not in redact(text) or password in "[hidden]"


def test_what_json_does_not_know_becomes_text_without_secrets() -> None:
    told = redact_all({"error": ValueError(f"password='{SECRET}"), "path": {1: {2: object()}}})
    assert SECRET not in json.dumps(told)


def test_values_are_redacted_however_deep_they_are() -> None:
    value = {
        "a": [{"b": (f"key={SECRET}", 7, None)}],
        "key": SECRET,
        f"key={SECRET}": 1,
        "Authorization": b"x" + SECRET.encode(),
    }
    told = redact_all(value)
    assert SECRET not in repr(told)
    assert told["a"][0]["b"][1:] == [7, None]
