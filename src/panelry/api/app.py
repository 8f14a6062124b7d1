"""Bytes in, bytes out: one endpoint as an ASGI application."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog

from panelry.api import actions, answers, forms
from panelry.api.answers import Answer, BodyTooLarge, MethodNotAllowed
from panelry.api.batching import Unavailable
from panelry.api.calls import Calls
from panelry.database.pool import Pool
from panelry.domain import ids
from panelry.domain.refusals import Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MAX_BODY: Final = 1024 * 1024
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
        request_id = ids.show("req_", ids.new())
        try:
            answer = await self._answer(scope, receive, request_id)
        except ClientGone:
            return
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

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> Answer:
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowed
            headers = dict(scope["headers"])
            body = await _body(headers, receive)
            fields = forms.read(headers.get(b"content-type", b"").decode("latin-1"), body)
            zipped = b"gzip" in headers.get(b"accept-encoding", b"")
            return await actions.answer(fields, self._calls, currency=self._currency, zipped=zipped)
        except Refusal as refused:
            return answers.refusal(refused)
        except Unavailable as error:
            log.warning("database_unavailable", request_id=request_id, error=repr(error.__cause__))
            return answers.UNAVAILABLE
        except ClientGone:
            raise
        except Exception:
            log.exception("request_failed", request_id=request_id)
            return answers.INTERNAL_ERROR


async def _body(headers: dict[bytes, bytes], receive: Receive) -> bytes:
    """Read the whole body, at most 1 MiB of it. Raises `BodyTooLarge`."""
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > MAX_BODY:
        raise BodyTooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    pieces = [body]
    size = len(body)
    while message["type"] == "http.request" and message.get("more_body"):
        message = await receive()
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > MAX_BODY:
            raise BodyTooLarge
    if message["type"] != "http.request":
        raise ClientGone
    return b"".join(pieces)
