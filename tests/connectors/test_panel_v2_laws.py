import asyncio
import json
import string
import traceback
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upstreams import KEY, ORDER, adding, ask, client, provider, request_of, talking

from panelry.connectors.http import Answer
from panelry.connectors.panel_v2 import answers, complaints, evidence, reports, wishes
from panelry.connectors.panel_v2.errors import CLASSIC, PANELRY, ErrorTable, meaning
from panelry.connectors.registry import connect
from panelry.domain.providers import Accepted, Delay, RefillTaken, Rejection, Unknown
from panelry.domain.refusals import PermanentFailure, TemporaryFailure

# Anything at all

NAMES = [
    "order", "order_id", "orders", "error", "errors", "status", "message", "success", "charge", "remains", "start_count",
    "runs", "posts", "posts_done", "expiry", "cancel", "refill", "refill_id", "service", "rate", "min", "max", "name", "type", "balance", "currency", "1", "2", "23501",
]  # fmt: skip
TEXTS = [
    "",
    "1",
    "23501",
    "0",
    "-1",
    "1.5",
    "error",
    "Completed",
    "Not enough funds",
    "success",
    "NaN",
    "\x00",
    "\ud800",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(TEXTS)
    | st.sampled_from([10**30, 10**70, -(10**19), 1e300, 23501, 7])
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)
BODIES = st.binary(max_size=200) | DOCUMENTS.map(lambda document: json.dumps(document).encode())
ASKED = ["1", "2", "23501"]


def means(text: str) -> Rejection | Delay | None:
    return meaning(text, {}, CLASSIC)


@given(BODIES, st.integers(100, 599))
def test_no_answer_makes_add_raise_or_invent_an_id(body: bytes, status: int) -> None:
    outcome = answers.outcome(Answer(status=status, body=body), means)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert outcome.upstream_id.encode() in body
        assert set(outcome.upstream_id) <= set(string.ascii_letters + string.digits + "_-")
        assert set(outcome.upstream_id) & set("123456789")
        assert outcome.charge is None or (outcome.charge.is_finite() and outcome.charge >= 0)
    if not (200 <= status < 300 or 400 <= status < 500):
        assert isinstance(outcome, Unknown)


@given(BODIES)
def test_no_answer_makes_the_readers_raise_or_invent_an_order(body: bytes) -> None:
    said = answers.document(body)
    complaints.text(said)
    rows = reports.orders(said, ASKED, {})
    assert rows is None or set(rows) <= set(ASKED) & set(said)
    cancels = wishes.cancels(said, ASKED)
    assert cancels is None or set(cancels) <= set(ASKED)
    refill = wishes.refill(said, "1")
    if isinstance(refill, RefillTaken) and refill.upstream_id is not None:
        assert refill.upstream_id.encode() in body
    reports.refill(said, "1")
    services = answers.services(said if isinstance(said, list) else [said])
    assert all(service.service.encode() in body for service in services)
    assert all(service.rate.is_finite() and service.rate >= 0 for service in services)
    for service in services:
        assert "\x00" not in service.name
        service.name.encode()
    balance = answers.balance(said)
    assert balance is None or balance.amount.is_finite()


@given(st.integers(0, 10**9), st.decimals(0, 10**9, allow_nan=False, places=6))
def test_what_is_written_is_what_is_read(number: int, charge: Decimal) -> None:
    row = f'{{"order":{number + 1},"charge":{charge:f},"1":{{"status":"Partial","remains":"{-number}"}}}}'.encode()
    assert answers.outcome(Answer(status=200, body=row), means) == Accepted(
        upstream_id=str(number + 1), charge=charge
    )
    rows = reports.orders(answers.document(row), ["1"], {})
    assert rows is not None
    assert getattr(rows["1"], "remains", None) == -number


@pytest.mark.parametrize("depth", [100, 900, 1000, 5000, 300_000])
@pytest.mark.parametrize("opening", [b"[", b'{"error":', b'{"order":[', b'[{"1":'])
def test_no_depth_of_nesting_makes_the_readers_raise(opening: bytes, depth: int) -> None:
    closing = {b"[": b"]", b"{": b"}"}
    ends = b"".join(
        closing[opening[at : at + 1]]
        for at in range(len(opening) - 1, -1, -1)
        if opening[at : at + 1] in closing
    )
    body = opening * depth + b"1" + ends * depth
    assert isinstance(answers.outcome(Answer(status=200, body=body), means), Unknown)
    said = answers.document(body)
    reports.orders(said, ASKED, {})
    reports.refill(said, "1")
    wishes.cancels(said, ASKED)
    wishes.refill(said, "1")
    answers.services([said])


@pytest.mark.parametrize("table", [CLASSIC, PANELRY])
def test_no_entry_of_an_error_table_is_hidden_by_an_earlier_one(table: ErrorTable) -> None:
    assert [(text, meaning(text, {}, table)) for text, _ in table] == list(table)


# The key


@given(
    st.text(string.ascii_letters + string.digits + "+/=&-_", min_size=8),
    st.text(),
    st.text(),
    st.integers(1, 500),
)
def test_evidence_never_holds_the_key_and_is_never_long(
    key: str, before: str, after: str, limit: int
) -> None:
    text = evidence.fit(f"{before}{key}{after}{key.upper()}", key, limit=limit)
    assert key.lower() not in text.lower()
    assert len(text) <= limit
    assert text.isprintable()


EVERY_QUESTION = [
    lambda c: c.statuses(["1"]),
    lambda c: c.statuses(["1", "2"]),
    lambda c: c.cancel(["1"]),
    lambda c: c.cancel(["1", "2"]),
    lambda c: c.refill("1"),
    lambda c: c.refill_status("1"),
    lambda c: c.services(),
    lambda c: c.balance(),
]
ECHOES = [
    json.dumps({"error": f"Invalid API key: {KEY}"}),
    json.dumps({"error": f"Never seen: {KEY}"}),
    json.dumps({"1": {"error": KEY}, "2": {"status": f"odd {KEY}"}}),
    json.dumps({"1": {"status": "Active", "posts": 1, "expiry": f"by {KEY}"}}),
    json.dumps([{"order": 1, "cancel": {"error": KEY}, "refill": {"error": f"no {KEY}"}}]),
    json.dumps({"status": f"odd {KEY}", "refill": 1}),
    f"<html>{KEY}</html>",
    f"{'x' * 480}{KEY}",
    f"{'x' * 498}{KEY.upper()}",
    "<pre>key=k3y-of-0urs%2Fwith%2Bsigns%26%22quotes%22</pre>",
    KEY,
]


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("body", ECHOES)
def test_a_key_that_is_echoed_never_shows(body: str, status: int) -> None:
    shown = repr(ask(adding, body, status=status))
    for question in EVERY_QUESTION:
        try:
            shown += repr(ask(question, body, status=status))
        except (TemporaryFailure, PermanentFailure) as failure:
            shown += "".join(traceback.format_exception(failure))
    assert "k3y-of" not in shown.lower()


def test_a_key_does_not_show_in_what_a_broken_server_makes_of_it() -> None:
    async def parrots(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await request_of(reader))
        await writer.drain()

    async def call() -> str:
        async with talking(parrots) as upstream, client() as http:
            connector = connect(provider(upstream.url, key="k3y-of-0urs"), http)
            shown = repr(await connector.add(ORDER))
            try:
                await connector.balance()
            except TemporaryFailure as failure:
                shown += "".join(traceback.format_exception(failure))
            return shown

    assert "k3y-of" not in asyncio.run(call())
