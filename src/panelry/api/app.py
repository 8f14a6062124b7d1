"""Bytes in, bytes out: one endpoint as an ASGI application."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog

from panelry.api import actions, answers, forms
from panelry.api.answers import Answer, BodyTooLarge, BodyTooSlow, MethodNotAllowed
from panelry.api.batching import Unavailable
from panelry.api.calls import Calls
from panelry.database.pool import Pool
from panelry.domain.refusals import Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY: Final = 1024 * 1024
BODY_SECONDS: Final = 30.0
log = structlog.get_logger()


class ClientGone(Exception):
    """The caller hung up before its request was complete: nobody is left to answer."""


class Api:
    """`POST /api/v2`. Every answer is JSON and carries `X-Request-Id`."""

    def __init__(self, pool: Pool, *, currency: str) -> None:
        """Serve from a pool of connections."""
        self._calls = Calls(pool)
        self._currency = currency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request_id = "req_" + secrets.token_hex(13)
        try:
            answer = await self._answer(scope, receive)
        except ClientGone:
            return
        except Unavailable as error:
            log.warning("database_unavailable", request_id=request_id, error=repr(error.__cause__))
            answer = answers.UNAVAILABLE
        except Exception:
            log.exception("request_failed", request_id=request_id)
            answer = answers.INTERNAL_ERROR
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer.body)).encode()),
            (b"x-request-id", request_id.encode()),
            *answer.headers,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    def close(self) -> None:
        """Let go of the threads."""
        self._calls.close()

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowed
            headers = dict(scope["headers"])
            body = await _body(headers, receive)
            fields = forms.read(headers.get(b"content-type", b"").decode("latin-1"), body)
            encodings = headers.get(b"accept-encoding", b"")
            return await actions.answer(fields, self._calls, currency=self._currency, encodings=encodings)
        except Refusal as refused:
            return answers.refusal(refused)


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """Read the whole body. Raises `BodyTooLarge`, `BodyTooSlow` or `ClientGone`."""
    length = headers.get(b"content-length", b"")
    if length.isdigit() and (len(length) > 18 or int(length) > MAX_BODY):
        raise BodyTooLarge
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _rest(body, receive)
        except TimeoutError:
            raise BodyTooSlow from None
    if len(body) > MAX_BODY:
        raise BodyTooLarge
    return body


async def _rest(first: bytes, receive: Receive) -> bytes:
    """Read on to the end of the body, or until it is larger than is allowed."""
    pieces = [first]
    size = len(first)
    while size <= MAX_BODY:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if not message.get("more_body"):
            break
    return b"".join(pieces)
