"""The API over real HTTP: what a server and a client can do to a request on its way."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlencode

import pytest
from books import Books, Stored
from doors import JSON, Door, Reply, Server, reply

from given import Customer
from panelry.api import app
from panelry.domain import accounts
from panelry.domain.catalog import ServiceId

Order = dict[str, str]
MIB: Final = 1024 * 1024


@contextmanager
def dialled(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield sock


def head(length: int | None = None, *more: str, path: str = "/api/v2") -> bytes:
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    form = "Content-Type: application/x-www-form-urlencoded"
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", form, framing, *more, "", ""]).encode()


def heard(sock: socket.socket) -> Reply:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return reply(answer.status, answer.getheaders(), answer.read())


def body_of(order: Order) -> bytes:
    return urlencode(order).encode()


def test_an_order_over_http(server: Server, order: Order) -> None:
    first = server.post(order)
    as_json = server.request(json.dumps(order).encode(), JSON)
    parts = "".join(
        f'--x\r\ncontent-disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in order.items()
    )
    as_multipart = server.request(f"{parts}--x--\r\n".encode(), "multipart/form-data; boundary=x")
    assert first.body == as_json.body == as_multipart.body
    assert as_json.headers["idempotent-replayed"] == "true"
    assert first.headers["content-type"] == "application/json"


def test_every_action_over_http(server: Server, customer: Customer, order: Order) -> None:
    id_ = server.post(order).order
    assert server.post(key=customer.key, action="balance").value["balance"] == "99.90"
    assert server.post(key=customer.key, action="status", order=id_).value["status"] == "pending"
    assert server.post(key=customer.key, action="status", orders=id_).value[id_]["remains"] == "100"
    plain = server.request(
        f"key={customer.key}&action=services".encode(), headers={"Accept-Encoding": "identity"}
    )
    zipped = server.request(
        f"key={customer.key}&action=services".encode(), headers={"Accept-Encoding": "gzip"}
    )
    assert plain.body == zipped.body
    assert len(zipped.raw) < len(plain.raw)


def test_requests_of_one_connection_have_ids_of_their_own(server: Server, customer: Customer) -> None:
    body = body_of({"key": customer.key, "action": "balance"})
    with dialled(server) as sock:
        ids = set()
        for _ in range(20):
            sock.sendall(head(len(body)) + body)
            ids.add(heard(sock).headers["x-request-id"])
    assert len(ids) == 20


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_over_http(server: Server, books: Books, order: Order, method: str) -> None:
    with books.untouched():
        answer = server.request(body_of(order), method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert "x-request-id" in answer.headers


def test_two_mebibytes_with_a_length(server: Server, books: Books, order: Order) -> None:
    body = body_of(order).ljust(2 * MIB, b"&")
    with books.untouched(), dialled(server) as sock:
        sock.sendall(head(len(body)))
        assert heard(sock).error == (413, "Request body too large"), "before anything of it is sent"
        sock.sendall(body)
        sock.sendall(head(0))
        assert heard(sock).error == (400, "Invalid API key"), "the connection is still of use"


def test_two_mebibytes_in_chunks(server: Server, books: Books, order: Order) -> None:
    body = body_of(order).ljust(2 * MIB, b"&")
    with books.untouched(), dialled(server) as sock:
        sock.sendall(head())
        for start in range(0, len(body), 65_536):
            sock.sendall(b"10000\r\n" + body[start : start + 65_536] + b"\r\n")
        sock.sendall(b"0\r\n\r\n")
        assert heard(sock).error == (413, "Request body too large")


def test_a_length_of_a_terabyte(server: Server) -> None:
    with dialled(server) as sock:
        sock.sendall(head(10**12) + b"key=")
        assert heard(sock).status == 413


def test_a_body_in_small_chunks(server: Server, order: Order) -> None:
    with dialled(server) as sock:
        sock.sendall(head())
        for byte in body_of(order):
            sock.sendall(b"1\r\n%c\r\n" % byte)
        sock.sendall(b"0\r\n\r\n")
        assert heard(sock).order


def test_a_slow_body_is_waited_for(server: Server, order: Order) -> None:
    body = body_of(order)
    with dialled(server) as sock:
        sock.sendall(head(len(body)))
        for piece in (body[:10], body[10:30], body[30:]):
            time.sleep(0.3)
            sock.sendall(piece)
        assert heard(sock).order


def test_a_body_that_never_ends_is_given_up(
    server: Server, books: Books, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "BODY_SECONDS", 0.3)
    body = body_of(order)
    with books.untouched(), dialled(server) as sock:
        sock.sendall(head(len(body)) + body[:-1])
        answer = heard(sock)
        assert answer.error == (400, "Malformed request body")
        assert answer.headers["connection"] == "close"
        assert sock.recv(1) == b""


@pytest.mark.parametrize("sent", [0, 1, 100, 1000])
def test_a_client_that_hangs_up_in_the_middle_orders_nothing(
    server: Server, books: Books, customer: Customer, order: Order, sent: int
) -> None:
    """Even where what came would be a whole order."""
    body = body_of(order)[:sent]
    with books.untouched():
        for framing in (head(1000), head() + b"%x\r\n" % max(len(body), 1)):
            with dialled(server) as sock:
                sock.sendall(framing + body)
        assert server.post(key=customer.key, action="balance").value["balance"] == "100.00"


def test_nobody_is_answered_who_has_gone(door: Door, books: Books, order: Order) -> None:
    scope = {"type": "http", "method": "POST", "path": "/api/v2", "headers": []}
    with books.untouched():
        assert door.run(door.exchange(scope, [])) is None
        begun = {"type": "http.request", "body": body_of(order), "more_body": True}
        assert door.run(door.exchange(scope, [begun])) is None
        assert door.run(door.exchange(scope, [begun, {**begun, "body": b"&x="}])) is None


def test_a_client_that_does_not_wait_for_its_answer_finds_its_order(server: Server, order: Order) -> None:
    body = body_of(order)
    with dialled(server) as sock:
        sock.sendall(head(len(body)) + body)
        time.sleep(0.2)
    assert server.post(order).headers["idempotent-replayed"] == "true"


def test_pipelined_requests_are_answered_in_turn(server: Server, order: Order) -> None:
    bodies = [body_of(order | {"request_id": f"p-{n}"}) for n in range(5)]
    with dialled(server) as sock, sock.makefile("rb") as incoming:
        sock.sendall(b"".join(head(len(body)) + body for body in bodies))
        orders = []
        for _ in bodies:
            assert incoming.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = http.client.parse_headers(incoming)
            orders.append(json.loads(incoming.read(int(headers["content-length"])))["order"])
    assert orders == [server.post(order | {"request_id": f"p-{n}"}).order for n in range(5)]


@pytest.mark.parametrize("more", ["X-Request-Id: mine", "X-Forwarded-For: 1.2.3.4", "Authorization: Bearer x", "X-HTTP-Method-Override: GET",
                                  "Expect: 100-continue", "Content-Encoding: gzip", "Accept: text/html", "Accept-Encoding: gzip"])  # fmt: skip
def test_headers_that_change_nothing(server: Server, order: Order, more: str) -> None:
    body = body_of(order)
    with dialled(server) as sock:
        sock.sendall(head(len(body), more) + body)
        if more.startswith("Expect"):
            assert sock.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
        answer = heard(sock)
    assert answer.order
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("name", ["request_id", "link", "action", "key", "order"])
def test_line_breaks_in_values_make_no_headers(server: Server, order: Order, name: str) -> None:
    for action in ("add", "status"):
        answer = server.post({**order, "action": action, name: "x\r\nSet-Cookie: a=b\r\n\r\n<p>"})
        assert "set-cookie" not in answer.headers
        assert b"<p>" not in answer.body


@pytest.mark.parametrize(
    "path", ["/api/v2", "/api/v2/", "/api/v2?key=x&action=balance", "/api/v2/?", "/api/%76%32", "/api/v2?%ff"]
)
def test_paths_that_lead_to_the_api(server: Server, order: Order, path: str) -> None:
    assert server.request(body_of(order), path=path).order


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/v1",
        "/API/v2",
        "/api/v2/x",
        "//api/v2",
        "/api/v2//",
        "/api/v2%00",
        "/api/v2.json",
        "/x/../api/v2",
    ],
)
def test_paths_that_do_not(server: Server, books: Books, order: Order, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    with books.untouched():
        connection.request(
            "POST", path, body_of(order), {"Content-Type": "application/x-www-form-urlencoded"}
        )
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (404, {"error": "Not found"})
    connection.close()


def test_what_is_no_http_is_no_order(server: Server, books: Books) -> None:
    with books.untouched():
        for garbage in (
            b"\x16\x03\x01\x02\x00",
            b"POST /api/v2\r\n\r\n",
            head(5).replace(b": 5", b": -5"),
            head(5, "Content-Length: 6"),
        ):
            with dialled(server) as sock:
                sock.sendall(garbage)
                sock.shutdown(socket.SHUT_WR)
                assert sock.recv(100)[:12] in {b"", b"HTTP/1.1 400"}


def test_a_revoked_key_fails_with_the_very_next_request(
    server: Server, stored: Stored, customer: Customer, service: ServiceId
) -> None:
    with dialled(server) as sock:
        for number in range(10):
            with stored() as given:
                issued = accounts.create_key(given.conn, customer.account)
            body = body_of({"key": issued.key, "action": "balance"})
            sock.sendall(head(len(body)) + body)
            assert heard(sock).status == 200, number
            with stored() as given:
                given.revoke(issued.key)
            sock.sendall(head(len(body)) + body)
            assert heard(sock).error == (400, "Invalid API key")
