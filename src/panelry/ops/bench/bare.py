"""`python -m panelry.ops.bench.bare PORT`: the API's server, as uvicorn has it, before an application that does nothing."""

import sys
from typing import Any, Final

from panelry.api.app import Receive, Scope, Send
from panelry.ops import running

ANSWER: Final = b"{}"
START: Final[dict[str, Any]] = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")],
}
BODY: Final[dict[str, Any]] = {"type": "http.response.body", "body": ANSWER}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Read one piece of a request, and answer with a constant."""
    assert scope["type"] == "http", "uvicorn takes an application that wants no lifespan"
    await receive()
    await send(START)
    await send(BODY)


if __name__ == "__main__":
    running.hold_lifeline()
    running.server(application, host="127.0.0.1", port=int(sys.argv[1]), http="httptools").run()
