"""A proxy between two panels that can hold the answer to a call until a test has done its worst."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Holding:
    """Passes calls on to `upstream`. While `hold` is set, what was answered to `add` stays here."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream)
        self.hold = threading.Event()
        self.answered = threading.Event()
        self.release = threading.Event()
        self.request_ids: list[str] = []

    def pass_on(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.upstream.netloc, timeout=30)
        try:
            connection.request("POST", self.upstream.path, body, headers)
            response = connection.getresponse()
            answer = response.status, response.read()
        finally:
            connection.close()
        form = parse_qs(body.decode())
        if form["action"] == ["add"]:
            self.request_ids += form["request_id"]
            if self.hold.is_set():
                self.answered.set()
                self.release.wait(60)
        return answer


@contextmanager
def holding(upstream: str) -> Iterator[tuple[str, Holding]]:
    """Run one and yield its address and itself."""
    state = Holding(upstream)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = state.pass_on(body, {"Content-Type": self.headers["Content-Type"]})
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the library)
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # the one who asked was killed: that is the point

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{state.upstream.path}", state
    finally:
        state.release.set()
        server.shutdown()
        server.server_close()
