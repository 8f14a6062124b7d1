"""The socket of the sandbox: who listens where, from start to a clean stop."""

import asyncio
import contextlib
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from aiohttp import web

from panelry.connectors.sandbox import actions, forms, wire
from panelry.connectors.sandbox.actions import ACTIONS, Reply, Sandbox
from panelry.connectors.sandbox.dialects import DIALECTS, DialectName
from panelry.connectors.sandbox.faults import Faults, UnknownFault
from panelry.connectors.sandbox.log import Log
from panelry.connectors.sandbox.refusals import Refused
from panelry.connectors.sandbox.shop import Shop

LARGEST_BODY: Final = 1024 * 1024
STOP_SECONDS: Final = 0.2
PATHS: Final = ("/api/v2", "/api/v1", "/api.php")

Ready = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxOptions:
    """What `panelry sandbox` can be told. Port 0 is any free one; without a key any key is accepted.

    `speed` 10 runs ten times faster; a log keeps its meaning only under the speed and dialect it was begun with.
    """

    host: str
    port: int
    log: Path
    key: str | None
    speed: float = 1.0
    dialect: Literal["classic", "panelry"] = "classic"


async def serve(options: SandboxOptions, *, ready: Ready | None = None) -> None:
    """Run until cancelled; `ready` gets the address of the API once it answers, such as `http://127.0.0.1:8099/api/v2`.

    Raises `OSError` where the log cannot be written or the address not be had.
    """
    dialect = DIALECTS[DialectName(options.dialect)]
    log = Log(options.log)
    shop = Shop(log, speed=options.speed, numeric_ids=dialect.classic)
    sandbox = Sandbox(shop=shop, dialect=dialect, faults=Faults(), key=options.key)
    runner = web.AppRunner(
        _application(sandbox), access_log=None, handler_cancellation=True, shutdown_timeout=STOP_SECONDS
    )
    try:
        await runner.setup()
        await web.TCPSite(runner, options.host, options.port, backlog=1024).start()
        if ready:
            port = runner.addresses[0][1]
            host = f"[{options.host}]" if ":" in options.host else options.host
            ready(f"http://{host}:{port}/api/v2")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
        await log.close()


def run(options: SandboxOptions, *, ready: Ready | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C, and stop cleanly in less than a second. Call it in the main thread."""

    async def main() -> None:
        serving = asyncio.ensure_future(serve(options, ready=ready))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    asyncio.run(main())


def _application(sandbox: Sandbox) -> web.Application:
    async def api(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith(PATHS) and request.path != "/":
            raise web.HTTPNotFound
        try:
            reply = await actions.answer(sandbox, await forms.fields(request))
        except Refused as refused:
            reply = actions.refusal(sandbox.dialect, refused)
        except web.HTTPRequestEntityTooLarge:
            reply = Reply(body={"error": "Request body too large"}, status=413)
        return await wire.send(request, reply)

    async def show_faults(_: web.Request) -> web.Response:
        return web.json_response(sandbox.faults.shown())

    async def change_faults(request: web.Request) -> web.Response:
        try:
            sandbox.faults.change(json.loads(await request.read()), frozenset(ACTIONS))
        except (UnknownFault, ValueError) as error:
            return web.json_response({"error": f"Unknown fault: {error}"}, status=400)
        return web.json_response(sandbox.faults.shown())

    application = web.Application(client_max_size=LARGEST_BODY)
    application.router.add_get("/sandbox/faults", show_faults)
    application.router.add_post("/sandbox/faults", change_faults)
    application.router.add_post("/{path:.*}", api)
    return application
