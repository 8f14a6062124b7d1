"""Signatures as Standard Webhooks has them: https://github.com/standard-webhooks/standard-webhooks."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"


def signed_headers(id_: str, body: bytes, *, secrets: Sequence[str], at: datetime) -> dict[str, str]:
    """Return the headers by which a receiver knows that a body is ours, sent at this moment.

    Each secret makes a signature: while a former one lives, a receiver that knows either is content. The id is the same
    on every attempt, so that what arrives twice can be told.
    """
    assert secrets, "nothing is sent unsigned"
    timestamp = str(int(at.timestamp()))
    content = f"{id_}.{timestamp}.".encode() + body
    return {
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, content) for secret in secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
