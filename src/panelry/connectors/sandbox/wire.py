"""How an answer travels: whole, bent, slowly, cut off or never. The faults of the wire are not scaled by speed."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web

from panelry.connectors.sandbox.actions import Reply
from panelry.connectors.sandbox.behaviours import Wire
from panelry.connectors.sandbox.reports import another_id

DRIP_SECONDS: Final = 60.0
DRIP_EVERY_SECONDS: Final = 0.25
HUGE_MEBIBYTES: Final = 50
GATEWAY_PAGE: Final = (
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)
LOGIN_PAGE: Final = (
    "<!DOCTYPE html><html><body><form action='/login'><input name='user'></form></body></html>"
)


async def send(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Answer as the reply's `wire` says."""
    return await _SEND[reply.wire](request, reply)


async def _plain(_: web.Request, reply: Reply) -> web.StreamResponse:
    headers = {"Idempotent-Replayed": "true"} if reply.replayed else None
    body = _encoded(reply.body)
    return web.Response(body=body, status=reply.status, headers=headers, content_type="application/json")


async def _silent(_: web.Request, __: Reply) -> web.StreamResponse:
    # Ends by being cancelled: the client leaves or the server stops.
    await asyncio.Event().wait()
    raise AssertionError


async def _reset(request: web.Request, _: Reply) -> web.StreamResponse:
    transport = request.transport
    if transport:
        # Without lingering, closing sends RST, where abort() alone would send FIN.
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    return web.Response()


async def _bad_gateway(_: web.Request, __: Reply) -> web.StreamResponse:
    return web.Response(text=GATEWAY_PAGE, status=502, content_type="text/html")


async def _login_page(_: web.Request, __: Reply) -> web.StreamResponse:
    return web.Response(text=LOGIN_PAGE, content_type="text/html")


async def _too_many_requests(_: web.Request, __: Reply) -> web.StreamResponse:
    body = _encoded({"error": "Too many requests"})
    return web.Response(body=body, status=429, headers={"Retry-After": "1"}, content_type="application/json")


async def _truncated(_: web.Request, reply: Reply) -> web.StreamResponse:
    body = _encoded(reply.body)
    return web.Response(body=body[: len(body) // 2], content_type="application/json")


async def _cut_short(request: web.Request, reply: Reply) -> web.StreamResponse:
    body = _encoded(reply.body)
    response = _stream()
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport:
        request.transport.close()
    return response


async def _wrong_types(_: web.Request, reply: Reply) -> web.StreamResponse:
    bent = {name: {"value": None} for name in reply.body} if isinstance(reply.body, dict) else {"list": 7}
    return web.Response(body=_encoded(bent), content_type="application/json")


async def _no_id(_: web.Request, __: Reply) -> web.StreamResponse:
    return web.Response(body=_encoded({"status": "success"}), content_type="application/json")


async def _slow_drip(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = _stream()
    await response.prepare(request)
    for _ in range(int(DRIP_SECONDS / DRIP_EVERY_SECONDS)):
        await response.write(b" ")
        await asyncio.sleep(DRIP_EVERY_SECONDS)
    await response.write(_encoded(reply.body))
    return response


async def _huge(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = _stream()
    await response.prepare(request)
    for _ in range(HUGE_MEBIBYTES):
        await response.write(b" " * 1024 * 1024)
    await response.write(_encoded(reply.body))
    return response


async def _disguised(_: web.Request, reply: Reply) -> web.StreamResponse:
    body = "\ufeff \r\n" + json.dumps(reply.body, indent=4)
    return web.Response(text=body, status=reply.status, content_type="text/html")


async def _other_ids(request: web.Request, reply: Reply) -> web.StreamResponse:
    match reply.body:
        case list() as rows:
            bent: Any = [row | {_kind(row): another_id(row[_kind(row)])} for row in rows]
        case dict() as rows if _is_batch(rows):
            bent = {another_id(id_): row for id_, row in rows.items()}
        case whole:
            bent = whole
    return await _plain(request, replace(reply, body=bent))


async def _missing_ids(request: web.Request, reply: Reply) -> web.StreamResponse:
    match reply.body:
        case list() as rows:
            bent: Any = rows[1::2]
        case dict() as rows if _is_batch(rows):
            bent = dict([*rows.items()][1::2])
        case whole:
            bent = whole
    return await _plain(request, replace(reply, body=bent))


def _kind(row: dict[str, Any]) -> str:
    return next(iter(row))  # its id stands first


def _is_batch(body: dict[str, Any]) -> bool:
    return all(isinstance(row, dict) for row in body.values())


def _stream() -> web.StreamResponse:
    return web.StreamResponse(headers={"Content-Type": "application/json"})


def _encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


_SEND: Final[Mapping[Wire, Callable[[web.Request, Reply], Awaitable[web.StreamResponse]]]] = MappingProxyType(
    {
        Wire.PLAIN: _plain,
        Wire.SILENT: _silent,
        Wire.RESET: _reset,
        Wire.BAD_GATEWAY: _bad_gateway,
        Wire.LOGIN_PAGE: _login_page,
        Wire.TOO_MANY_REQUESTS: _too_many_requests,
        Wire.TRUNCATED: _truncated,
        Wire.CUT_SHORT: _cut_short,
        Wire.WRONG_TYPES: _wrong_types,
        Wire.NO_ID: _no_id,
        Wire.SLOW_DRIP: _slow_drip,
        Wire.HUGE: _huge,
        Wire.DISGUISED: _disguised,
        Wire.OTHER_IDS: _other_ids,
        Wire.MISSING_IDS: _missing_ids,
    }
)
