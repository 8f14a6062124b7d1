"""Bytes in, bytes out: one endpoint as an ASGI application."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final, Protocol

import structlog
from structlog.contextvars import bind_contextvars

from panelry import clock
from panelry.api import actions, answers, forms
from panelry.api.answers import Answer
from panelry.api.batching import Perform, Unavailable
from panelry.api.calls import Calls
from panelry.api.limits import OTHER, Limits, Visit
from panelry.api.uses import Uses
from panelry.api.webhooks import Hooks
from panelry.connectors.addresses import AddressPolicy
from panelry.contract import ACTIONS, BodyTooLarge, BodyTooSlow, MethodNotAllowed
from panelry.database.pool import Pool
from panelry.domain.orders import Draft, Placed
from panelry.domain.refusals import Refusal
from panelry.domain.vault import Vault
from panelry.metrics import Metrics, Outcome

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Tell(Protocol):
    """What writes the line of a finished request."""

    def __call__(
        self, *, request_id: str, action: str, status: int, milliseconds: float, account: str | None
    ) -> None:
        """Write it; `account` is `None` where nobody knows who called."""


MAX_BODY: Final = 1024 * 1024
BODY_SECONDS: Final = 30.0
log = structlog.get_logger()


class ClientGone(Exception):
    """The caller hung up before its request was complete: nobody is left to answer."""


class Api:
    """`POST /api/v2`. Every answer is JSON and carries `X-Request-Id`."""

    def __init__(
        self,
        pool: Pool,
        *,
        currency: str,
        vault: Vault,
        webhook_policy: AddressPolicy,
        limits: Limits | None = None,
        metrics: Metrics | None = None,
        tell: Tell | None = None,
        place: Perform[Draft, Placed | Refusal] | None = None,
    ) -> None:
        """Serve from a pool of connections; without `limits` nothing is limited.

        `vault` seals what is secret, `webhook_policy` says which URLs customers' endpoints may have, `tell` writes a line
        of the log for each request, `place` places sets of orders where threads of this process are not to do that.
        """
        self._metrics = metrics or Metrics()
        self._limits = limits or Limits(None, ip_per_minute=0)
        self._calls = Calls(pool, self._metrics, place=place)
        self._hooks = Hooks(calls=self._calls, vault=vault, policy=webhook_policy)
        self._uses = Uses(pool)
        self._currency = currency
        self._tell = tell or _tell
        self._request_ids = _request_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request_id = next(self._request_ids)
        began = clock.monotonic()
        client = scope.get("client")
        visit = self._limits.visit(client[0] if client else None)
        bind_contextvars(request_id=request_id)  # of this task, which is this request's alone
        try:
            answer = await self._guarded(visit, scope, receive)
        except ClientGone:
            return
        self._finished(request_id, visit, answer, clock.monotonic() - began)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer.body)).encode()),
            (b"x-request-id", request_id.encode()),
            *answer.headers,
            *visit.headers(),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    def close(self) -> None:
        """Write down what is still to be written, and let go of the threads."""
        self._uses.close()
        self._calls.close()

    async def _guarded(self, visit: Visit, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self._answer(visit, scope, receive)
        except Unavailable as error:
            log.warning("database_unavailable", error=repr(error.__cause__))
            return answers.UNAVAILABLE
        except ClientGone:
            raise
        except Exception:
            log.exception("request_failed")
            return answers.INTERNAL_ERROR

    async def _answer(self, visit: Visit, scope: Scope, receive: Receive) -> Answer:
        try:
            return await self._act(visit, scope, receive)
        except Refusal as refused:
            return answers.refusal(refused)

    async def _act(self, visit: Visit, scope: Scope, receive: Receive) -> Answer:
        await visit.count_address()
        if scope["method"] != "POST":
            raise MethodNotAllowed
        headers = dict(scope["headers"])
        body = await _body(headers, receive)
        fields = forms.read(headers.get(b"content-type", b"").decode("latin-1"), body)
        visit.action = action if (action := fields.get("action", "")) in ACTIONS else OTHER
        encodings = headers.get(b"accept-encoding", b"")
        return await actions.answer(
            fields, self._calls, self._hooks, visit, currency=self._currency, encodings=encodings
        )

    def _finished(self, request_id: str, visit: Visit, answer: Answer, seconds: float) -> None:
        caller = visit.caller
        if caller is not None:
            self._uses.note(caller.key_id)
        self._metrics.request(visit.action, _outcome(answer.status), seconds)
        self._tell(
            request_id=request_id,
            action=visit.action,
            status=answer.status,
            milliseconds=round(seconds * 1000, 2),
            account=None if caller is None else caller.account,
        )


def _tell(**line: Any) -> None:
    log.info("request", **line)


def _request_ids() -> Iterator[str]:
    """Make ids that nobody can guess, asking the system for many at once: each time lets other threads run."""
    while True:
        random = os.urandom(13 * 256).hex()
        for start in range(0, len(random), 26):
            yield "req_" + random[start : start + 26]


def _outcome(status: int) -> Outcome:
    match status:
        case 200:
            return Outcome.OK
        case 429:
            return Outcome.LIMITED
        case 500 | 503:
            return Outcome.FAILED
        case _:
            return Outcome.REFUSED


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
