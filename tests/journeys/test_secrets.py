"""Whatever happens to a panel, no key, password or secret stands in its logs, answers, metrics or command lines."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from panels import SECRET, Panel, clear_away, until

import servers
from panelry.database import postmaster
from panelry.domain.accounts import rules

NEVER_ISSUED = rules.key_from(4711)
PASSWORDS = {"valkey": "valkey-Passw0rd", "mail": "mail-Passw0rd"}
PROVIDER_KEY = "provider-key-0815"
FORM = "application/x-www-form-urlencoded"
REQUEST_FIELDS = {"event", "level", "timestamp", "request_id", "action", "status", "milliseconds", "account"}


@pytest.fixture
def data() -> Iterator[Path]:
    with servers.open_folder() as folder:
        yield folder / "data"


def ask(
    one: Panel,
    body: str | bytes,
    content_type: str = FORM,
    *,
    path: str = "/api/v2",
    method: str = "POST",
    **headers: str,
) -> str:
    """Ask for anything, and return whatever was answered, headers too."""
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=10)
    try:
        connection.request(method, path, body, {"Content-Type": content_type, **headers})
        response = connection.getresponse()
        return f"{response.getheaders()} {response.read().decode()}"
    finally:
        connection.close()


def mistakes(one: Panel, key: str) -> Iterator[str]:
    """Do what callers do wrong, with their key in it."""
    order = {"key": key, "action": "add", "service": "1", "link": "https://example.com/", "quantity": "100"}
    for body in (
        urlencode({**order, "key": NEVER_ISSUED}),
        urlencode({**order, "key": key[:-1]}),
        urlencode(order),
        urlencode({**order, "request_id": "1", "quantity": key}),
        urlencode({**order, "request_id": "1", "link": key}),
        urlencode({**order, "action": key}),
        urlencode({"key": key, "action": "status", "orders": f"{key},ord_{key}"}).replace("%2C", ","),
        f"key={key}&action=balance&x=%ff",
    ):
        yield ask(one, body)
    yield ask(one, json.dumps(order)[:-3], "application/json")
    yield ask(one, json.dumps({**order, "request_id": [key]}), "application/json")
    yield ask(
        one,
        f'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\n{key}',
        "multipart/form-data; boundary=x",
    )
    yield ask(one, json.dumps(order), "text/plain")
    yield ask(one, "action=balance", Authorization=f"Bearer {key}", Cookie=f"key={key}")
    for path in ("/api/v2", "/nothing/here", "/accounts/login/"):
        yield ask(one, "", path=f"{path}?key={key}&token={key}", method="GET")


def command_lines(one: Panel) -> str:
    """Return how the long-running parts were called, as everybody on the machine can read it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return "\n".join(line for line in found if str(one.data) in line)


@contextmanager
def echo() -> Iterator[str]:
    """Run a provider that answers with what it was asked, our key included."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(400)
            self.end_headers()
            self.wfile.write(b"bad request: " + body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api/v2"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hooked(one: Panel, key: str) -> str:
    """Register an endpoint at which nobody listens, let it be tried, and return its secret."""
    status, answer = one.call(key, "webhook.add", url="http://127.0.0.1:9/hook")
    assert status == 200, answer
    assert one.call(key, "webhook.test", webhook=answer["webhook"])[0] == 200
    return str(answer["secret"])


def without_a_database(one: Panel, key: str) -> str:
    """Call while nobody is let into the database; return what is answered."""
    body = urlencode({"key": key, "action": "status", "order": "x"})
    with psycopg.connect(postmaster.url(one.cluster, "postgres"), autocommit=True) as conn:
        conn.execute("ALTER DATABASE panelry ALLOW_CONNECTIONS false")
        conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'panelry'")
        try:
            said = ask(one, body)
        finally:
            conn.execute("ALTER DATABASE panelry ALLOW_CONNECTIONS true")
    assert "temporarily unavailable" in said
    until(lambda: "Order not found" in ask(one, body), seconds=15)
    return said


def test_nothing_that_happens_brings_a_secret_to_light(data: Path) -> None:
    settings = {
        "PANELRY_LIMITS": "on",
        "PANELRY_IP_PER_MINUTE": "10000",
        "PANELRY_VALKEY_URL": f"valkey://:{PASSWORDS['valkey']}@127.0.0.1:9/0",
        "PANELRY_MAIL_URL": f"smtp://user:{PASSWORDS['mail']}@127.0.0.1:9",
        "PANELRY_MAIL_FROM": "panel@example.com",
    }
    one = Panel(data=data, settings=settings)
    try:
        with echo() as provider:
            said = one.started("--demo")
            key = said["key"]
            hook = hooked(one, key)
            answers = list(mistakes(one, key))
            one.provider("Echo", provider, PROVIDER_KEY)
            listed = one.run("catalog", "import", "Echo", "--services", "1", "--json")
            assert listed.code == 1
            answers.append(without_a_database(one, key))
            answers.append(ask(one, "", path="/metrics", method="GET"))
            until(lambda: any(line["event"] == "limits_alone" for line in one.lines()))
            lines = command_lines(one)
            note = json.loads((data / "demo.json").read_text())
    finally:
        clear_away(one)
    secrets = {
        "a customer's key": key[12:],
        "a wrong key": NEVER_ISSUED[12:],
        "a webhook's secret": hook[6:],
        "the sandbox's key": note["provider_key"],
        "a provider's key": PROVIDER_KEY,
        "a person's password": said["password"],
        "the panel's secret": SECRET,
        **PASSWORDS,
    }
    places = {
        "log": one.log.read_text(),
        "answers": "\n".join(answers),
        "command lines": lines,
        "errors": listed.out + listed.err,
    }
    assert "serve" in places["command lines"]
    found = [
        (name, where) for name, text in secrets.items() for where, there in places.items() if text in there
    ]
    assert found == []
    requests = [line for line in one.lines() if line["event"] == "request"]
    assert len(requests) >= len(answers) / 2
    for line in requests:
        assert line.keys() == REQUEST_FIELDS
        assert line["level"] == "info"
        assert re.fullmatch("req_[0-9a-f]{26}", line["request_id"])
    assert {line["action"] for line in requests} <= {
        "add",
        "status",
        "balance",
        "other",
        "webhook.add",
        "webhook.test",
    }
    [missed] = [line for line in one.lines() if line["event"] == "Not Found: /nothing/here"]
    assert missed["request_id"], "pages have one, too"
    troubles = [line for line in one.lines() if line["event"] == "database_unavailable"]
    assert troubles
    assert all(line["request_id"] for line in troubles), (
        "whoever quotes the id of an answer is found in the log"
    )
