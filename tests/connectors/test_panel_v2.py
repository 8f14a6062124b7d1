import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from upstreams import (
    CLASSIC,
    KEY,
    adding,
    answering,
    ask,
    ask_at,
    black_hole,
    client,
    provider,
    refusing_port,
    request_of,
    reset,
    talking,
)

from panelry.connectors.addresses import PUBLIC_HTTPS
from panelry.connectors.registry import connect
from panelry.domain.providers import (
    Accepted,
    Delay,
    Dialect,
    NotSent,
    Outcome,
    Postponed,
    Rejected,
    Rejection,
    Unknown,
    UpstreamOrder,
)

PANELRY = Dialect(name="panelry", supports_request_id=True)


def add(body: bytes | str, **more: Any) -> Outcome:
    outcome: Outcome = ask(adding, body, **more)
    return outcome


# What is sent


def test_an_order_is_one_form_with_everything_as_text() -> None:
    order = UpstreamOrder(
        service="5", request_id="r", parameters={"link": "l", "comments": "one\r\ntwo", "key": "evil"}
    )

    async def call() -> None:
        async with answering('{"order":7}', path="/api.php?x=1") as upstream, client() as http:
            await connect(provider(upstream.url), http).add(order)
            await connect(provider(upstream.url, dialect=PANELRY), http).add(order)
        form = {"key": KEY, "action": "add", "service": "5", "link": "l", "comments": "one\ntwo"}
        assert upstream.forms == [form, {**form, "request_id": "r"}]

    asyncio.run(call())


def test_questions_are_forms_too() -> None:
    async def call() -> None:
        async with answering("[]") as upstream, client() as http:
            connector = connect(provider(upstream.url), http)
            assert await connector.statuses(["1", "2"]) == {}
            assert await connector.services() == []
        assert upstream.forms == [
            {"key": KEY, "action": "status", "orders": "1,2"},
            {"key": KEY, "action": "services"},
        ]

    asyncio.run(call())


# Yes


@pytest.mark.parametrize(
    ("body", "upstream_id"),
    [
        ('{"order":23501}', "23501"),
        ('{"order":"23501"}', "23501"),
        ('{"order_id":23501}', "23501"),
        ('{"order":null,"order_id":"23501"}', "23501"),
        ('{"status":"success","order":23501}', "23501"),
        ('{"order":23501,"error":""}', "23501"),
        ('{"order":23501,"error":null,"errors":[],"success":true}', "23501"),
        ('{"order":23501.0}', "23501"),
        ('"23501"', "23501"),
        ("23501", "23501"),
        ('"ord_01JBD6ZK3V8QW5X9T2Y4R7N0CM"', "ord_01JBD6ZK3V8QW5X9T2Y4R7N0CM"),
        ('{"order":"ord_01JBD6ZK3V8QW5X9T2Y4R7N0CM"}', "ord_01JBD6ZK3V8QW5X9T2Y4R7N0CM"),
        ('{"order":"6f1f5c3e-7a34-4a0a-9d5e-0c8f3f6d2b11"}', "6f1f5c3e-7a34-4a0a-9d5e-0c8f3f6d2b11"),
        ('\ufeff \r\n{\n  "order": 23501\n}\n', "23501"),
        ('  \n\ufeff{"order":23501}', "23501"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/json", "text/html; charset=utf-8", "text/plain"])
def test_a_yes_is_understood_in_every_spelling(body: str, upstream_id: str, content_type: str) -> None:
    outcome = add(body, headers={"Content-Type": content_type})
    assert outcome == Accepted(upstream_id=upstream_id)


@pytest.mark.parametrize(
    ("charge", "exact"),
    [
        ("0.1", "0.1"),
        ('"0.27819"', "0.27819"),
        ("12", "12"),
        ("0.30000000000000000001", "0.30000000000000000001"),
        ("1e3", None),
        ("NaN", None),
        ("-1", None),
        ('"free"', None),
        ("null", None),
        ("[]", None),
        ("9" * 5000, None),
    ],
)
def test_what_it_cost_is_read_exactly_or_not_at_all(charge: str, exact: str | None) -> None:
    outcome = add(f'{{"order":1,"charge":{charge}}}')
    assert outcome == Accepted(upstream_id="1", charge=None if exact is None else Decimal(exact))


# No

REJECTED = {
    Rejection.KEY: [
        "Invalid API key",
        "Incorrect API key",
        "API is disable for this user",
        "API key is required",
    ],
    Rejection.FUNDS: [
        "Not enough funds on balance",
        "neworder.error.not_enough_funds",
        "Insufficient balance",
        "Usted no tiene fondos suficientes",
        "НЕДОСТАТОЧНО СРЕДСТВ",
    ],
    Rejection.SERVICE: ["Incorrect service ID", "Service ID does not exist", "Service not found"],
    Rejection.LINK: [
        "Bad link",
        "Incorrect link",
        "Link required",
        "neworder.error.link",
        "Link is required",
    ],
    Rejection.QUANTITY: [
        "Quantity less than minimal 100",
        "Quantity more than maximum 500",
        "Quantity out of range",
        "neworder.error.min_quantity",
        "error.max_quantity",
    ],
    Rejection.EXTRAS: [
        "Comments is required",
        "The answer_number field is required",
        "Service does not support drip-feed",
    ],
}
POSTPONED = {
    Delay.DUPLICATE_LINK: [
        "You have active order with this link. Please wait until order being completed.",
        "neworder.error.link_duplicate",
        "There is already an active order",
    ],
    Delay.RATE: ["Too many requests", "429: too  many\nrequests"],
}


@pytest.mark.parametrize(
    ("reason", "text"), [(reason, text) for reason, texts in REJECTED.items() for text in texts]
)
def test_a_known_no_is_definite(reason: Rejection, text: str) -> None:
    for body, status in (
        ({"error": text}, 200),
        ({"status": "error", "message": text}, 200),
        ({"error": True, "message": text}, 422),
        ({"errors": {"field": [text]}}, 400),
        ({"success": False, "msg": text}, 403),
        (text, 200),
    ):
        outcome = add(json.dumps(body), status=status)
        assert isinstance(outcome, Rejected)
        assert outcome.reason is reason
        assert outcome.text == text


@pytest.mark.parametrize(
    ("reason", "text"), [(reason, text) for reason, texts in POSTPONED.items() for text in texts]
)
def test_a_not_now_is_not_a_failure(reason: Delay, text: str) -> None:
    outcome = add(json.dumps({"error": text}))
    assert isinstance(outcome, Postponed)
    assert outcome.reason is reason


@pytest.mark.parametrize(
    "body", ["", "<html>Too many", '{"error":"whatever"}', '{"error":"Not enough funds"}']
)
def test_http_429_postpones_whatever_it_says(body: str) -> None:
    outcome = add(body, status=429)
    assert isinstance(outcome, Postponed)
    assert outcome.reason is Delay.RATE


def test_a_providers_own_table_is_looked_at_first() -> None:
    dialect = Dialect(errors={"service not found": Delay.RATE, "заблокировано": Rejection.LINK})
    assert add('{"error":"Service not found"}', dialect=dialect) == Postponed(
        reason=Delay.RATE, text="Service not found"
    )
    assert isinstance(add('{"error":"Заблокировано!"}', dialect=dialect), Rejected)


@pytest.mark.parametrize(
    ("status", "text", "expected"),
    [
        (400, "Insufficient balance", Rejection.FUNDS),
        (400, "Service not found", Rejection.SERVICE),
        (400, "Link must be a valid http(s) URL", Rejection.LINK),
        (400, "Link must be at most 1000 characters", Rejection.LINK),
        (400, "Quantity must be a positive integer", Rejection.QUANTITY),
        (400, "Quantity must be between 50 and 1000", Rejection.QUANTITY),
        (400, "Missing required parameter: link", Rejection.LINK),
        (400, "Missing required parameter: quantity", Rejection.QUANTITY),
        (400, "Missing required parameter: comments", Rejection.EXTRAS),
        (400, "Drip-feed is not available for this service", Rejection.EXTRAS),
        (400, "runs must be a positive integer", Rejection.EXTRAS),
        (400, "device must be between 1 and 5", Rejection.EXTRAS),
        (400, "comments must be at most 10000 lines", Rejection.EXTRAS),
        (400, "Order not accepted: this site is not served", Rejection.EXTRAS),
        (400, "Invalid API key", Rejection.KEY),
        (403, "Account suspended", Rejection.KEY),
        (429, "Rate limit exceeded", Delay.RATE),
        (400, "request_id was already used with different parameters", None),
        (400, "Unknown action", None),
        (503, "Service temporarily unavailable", None),
        (500, "Internal error", None),
    ],
)
def test_our_own_dialects_errors_are_all_known(
    status: int, text: str, expected: Rejection | Delay | None
) -> None:
    outcome = add(json.dumps({"error": text}), status=status, dialect=PANELRY)
    if expected is None:
        assert isinstance(outcome, Unknown)
    else:
        assert isinstance(outcome, Rejected | Postponed)
        assert outcome.reason is expected


# Unknown


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, ""),
        (200, "<html><body>Please log in</body></html>"),
        (200, '{"order":23501'),
        (200, '{"error":"Not enough fun'),
        (200, "Not enough funds"),
        (200, '{"error":"Something we never saw"}'),
        (200, '{"error":"Order not found"}'),
        (200, '{"error":{}}'),
        (200, '{"status":"error"}'),
        (200, "{}"),
        (200, "[]"),
        (200, "null"),
        (200, "true"),
        (200, "404"),
        (200, '"error"'),
        (200, '"E1042"'),
        (200, '{"order":null}'),
        (200, '{"order":true}'),
        (200, '{"order":0}'),
        (200, '{"order":"0"}'),
        (200, '{"order":-5}'),
        (200, '{"order":1.5}'),
        (200, '{"order":"1.5"}'),
        (200, '{"order":1.5e5}'),
        (200, '{"order":NaN}'),
        (200, '{"order":""}'),
        (200, '{"order":"created"}'),
        (200, '{"order":"12 34"}'),
        (200, '{"order":"1\\u0000"}'),
        (200, '{"order":"' + "1" * 100 + '"}'),
        (200, '{"order":{"id":5}}'),
        (200, '{"order":[5]}'),
        (200, '[{"order":5}]'),
        (200, '{"status":"success"}'),
        (200, '{"order":5,"error":"Not enough funds"}'),
        (200, '{"order":5,"status":"error"}'),
        (200, "[" * 100_000),
        (200, '{"a":' * 50_000),
        (200, b"\xff\xfe{\x00}\x00"),
        (302, '{"order":5}'),
        (302, '{"error":"Not enough funds"}'),
        (400, '{"order":5}'),
        (401, "<html>Unauthorized</html>"),
        (403, "<html>Attention Required! | Cloudflare</html>"),
        (404, "Not Found"),
        (429, '{"order":5}'),
        (500, '{"error":"Not enough funds"}'),
        (500, '{"order":5}'),
        (502, "<html><h1>502 Bad Gateway</h1></html>"),
        (503, '{"error":"Too many requests"}'),
        (504, ""),
    ],
)
@pytest.mark.parametrize("dialect", [CLASSIC, PANELRY])
def test_what_is_neither_a_clear_yes_nor_a_known_no_is_unknown(
    status: int, body: str | bytes, dialect: Dialect
) -> None:
    outcome = add(body, status=status, dialect=dialect)
    assert isinstance(outcome, Unknown)
    assert outcome.text.startswith(f"HTTP {status}: ")
    assert len(outcome.text) <= 500
    assert outcome.text.isprintable()


def test_evidence_is_short_and_without_control_characters() -> None:
    outcome = add("<html>\r\n\x1b[31m\x00\u202e" + "x" * 5000)
    assert isinstance(outcome, Unknown)
    assert outcome.text.startswith(r"HTTP 200: <html>\r\n\x1b[31m\x00\u202exxx")
    assert len(outcome.text) == 500
    assert outcome.text.endswith("…")


def test_an_order_that_nobody_can_have_read_was_not_sent() -> None:
    with refusing_port() as url:
        assert isinstance(ask_at(url, adding), NotSent)
    with black_hole() as url:
        assert isinstance(ask_at(url, adding, connect=0.2), NotSent)
    assert isinstance(ask_at("http://panel.invalid/", adding, connect=20, total=30), NotSent)
    assert isinstance(ask_at("http://127.0.0.1/", adding, policy=PUBLIC_HTTPS), NotSent)


def test_an_order_that_was_read_and_not_answered_is_unknown_and_sent_once() -> None:
    heard: list[bytes] = []

    async def accepts_then_resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await request_of(reader))
        reset(writer)

    async def accepts_then_is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await request_of(reader))
        await asyncio.sleep(30)

    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await request_of(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n")
        for _ in range(50):
            writer.write(b" " * 1_000_000)
            await writer.drain()

    async def call() -> None:
        async with client(total=1) as http:
            for talk in (accepts_then_resets, accepts_then_is_silent, floods):
                async with talking(talk) as upstream:
                    assert isinstance(await adding(connect(provider(upstream.url), http)), Unknown)

    asyncio.run(call())
    assert len(heard) == 3
