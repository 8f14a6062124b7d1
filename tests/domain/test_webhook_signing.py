"""The public library of Standard Webhooks knows what is ours, and nothing else."""

import base64
import secrets
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from panelry import clock
from panelry.domain import webhooks


def secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def signed(body: bytes, *with_: str, at: datetime | None = None) -> dict[str, str]:
    return webhooks.signed_headers("evt_01", body, secrets=with_, at=at or clock.now())


@given(st.binary(min_size=32, max_size=32), st.text(), st.from_regex(r"evt_[0-9A-Z]{26}", fullmatch=True))
def test_the_public_library_verifies_whatever_is_signed(key: bytes, text: str, id_: str) -> None:
    shown = "whsec_" + base64.b64encode(key).decode()
    body = text.encode()
    headers = webhooks.signed_headers(id_, body, secrets=[shown], at=clock.now())
    Webhook(shown).verify(body, headers, json_parse=False)
    assert headers["webhook-id"] == id_


def test_while_a_former_secret_lives_receivers_with_either_are_content() -> None:
    new, former = secret(), secret()
    headers = signed(b'{"a":1}', new, former)
    assert Webhook(new).verify(b'{"a":1}', headers) == Webhook(former).verify(b'{"a":1}', headers) == {"a": 1}
    assert headers["webhook-signature"].count("v1,") == 2
    with pytest.raises(WebhookVerificationError):
        Webhook(secret()).verify(b'{"a":1}', headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(former).verify(b'{"a":1}', signed(b'{"a":1}', new))


def test_another_body_id_or_time_is_not_ours() -> None:
    shown = secret()
    headers = signed(b'{"a":1}', shown)
    Webhook(shown).verify(b'{"a":1}', headers)
    later = str(int(headers["webhook-timestamp"]) + 1)
    for body, changed in (
        (b'{"a":2}', {}),
        (b'{"a":1} ', {}),
        (b'{"a":1}', {"webhook-id": "evt_02"}),
        (b'{"a":1}', {"webhook-timestamp": later}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(shown).verify(body, headers | changed)


def test_the_time_is_that_of_the_attempt() -> None:
    at = clock.now()
    assert signed(b"", secret(), at=at)["webhook-timestamp"] == str(int(at.timestamp()))
    shown = secret()
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(shown).verify(b"{}", signed(b"{}", shown, at=at - timedelta(minutes=6)))
