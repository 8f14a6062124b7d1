"""What goes wrong on our side: lost connections, no database, bugs."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from books import Books, Stored
from doors import Door, Reply, refused, serving
from outages import closed, hang_up_all
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from given import Customer, Given
from panelry import clock
from panelry.api import answers
from panelry.database.pool import Pool
from panelry.domain.accounts import rules
from panelry.domain.catalog import ServiceId
from panelry.settings import Settings

Order = dict[str, str]


@pytest.fixture
def fresh_order(fresh_stored: Stored) -> Order:
    with fresh_stored() as given:
        customer, service = given.customer("100"), given.service()
    return {
        "key": customer.key, "action": "add", "service": str(service), "link": "https://example.com/post",
        "quantity": "100",
    }  # fmt: skip


def assert_unavailable(reply: Reply) -> None:
    assert (reply.status, reply.body) == (503, refused(503, "Service temporarily unavailable"))
    assert int(reply.headers["retry-after"]) > 0


def test_dropped_connections_are_survived_by_every_action(
    fresh_door: Door, fresh_database: str, fresh_order: Order
) -> None:
    for number, action in enumerate(["add", "status", "balance", "services"] * 2):
        assert fresh_door.post(fresh_order, action="balance").status == 200
        assert hang_up_all(fresh_database) > 0
        reply = fresh_door.post({**fresh_order, "action": action}, request_id=str(number), orders="x")
        assert reply.status == 200, reply.value


def test_connections_that_drop_under_load_double_no_order(
    fresh_door: Door, fresh_database: str, fresh_stored: Stored, fresh_order: Order
) -> None:
    stop = asyncio.Event()

    async def ordering(number: int) -> list[str]:
        fields = {**fresh_order, "quantity": "10", "request_id": f"r-{number}"}
        answers: list[str] = []
        while len(answers) < 4:
            reply = await fresh_door.form(fields)
            if reply.status != 503:
                answers.append(reply.order)
        return answers

    async def dropping() -> int:
        dropped = 0
        while not stop.is_set():
            dropped += await asyncio.to_thread(hang_up_all, fresh_database)
            await asyncio.sleep(0.05)
        return dropped

    async def scene() -> list[list[str]]:
        dropper = asyncio.create_task(dropping())
        found = await asyncio.gather(*map(ordering, range(400)))
        stop.set()
        assert await dropper > 0
        return found

    answers = fresh_door.run(scene())
    assert all(len(set(same)) == 1 for same in answers)
    assert len({same[0] for same in answers}) == 400
    hang_up_all(fresh_database)
    assert fresh_door.post(fresh_order, action="balance").value["balance"] == "96.00"
    with fresh_stored() as given:
        assert given.conn.execute("SELECT count(*) FROM orders").fetchone() == (400,)
        Given(given.conn).assert_books()


def test_an_outage_is_told_and_overcome(fresh_door: Door, fresh_database: str, fresh_order: Order) -> None:
    fresh_order |= {"request_id": "through-it-all"}
    assert fresh_door.post(fresh_order, action="services").status == 200

    async def all_actions() -> list[Reply]:
        actions = ["add", "balance", "status", "services"] * 100
        return await asyncio.gather(*[fresh_door.form(fresh_order, action=action) for action in actions])

    with closed(fresh_database), capture_logs(processors=[merge_contextvars]) as logs:
        for reply in fresh_door.run(all_actions()):
            assert_unavailable(reply)
    assert {entry["event"] for entry in logs} == {"database_unavailable", "request"}
    assert fresh_order["key"] not in repr(logs)
    assert fresh_door.post(fresh_order).order
    assert fresh_door.post(fresh_order).headers["idempotent-replayed"] == "true"


def test_without_a_server_all_who_wait_are_told_at_once() -> None:
    pool = Pool("host=/nowhere dbname=panelry", size=2)
    door = Door(pool)
    key = rules.key_from(4711)

    async def calls() -> list[Reply]:
        return await asyncio.gather(*[door.form(key=key, action="balance") for _ in range(600)])

    try:
        assert door.post(key="pnl_", action="add").error == (400, "Invalid API key"), "no database is needed"
        began = clock.monotonic()
        for reply in door.run(calls()):
            assert_unavailable(reply)
        assert clock.monotonic() - began < 9
    finally:
        door.close()
        pool.close()


def test_a_bug_is_an_internal_error_whose_detail_stands_in_the_log_alone(
    door: Door, books: Books, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "a detail for nobody"

    def broken(*_: object) -> None:
        raise RuntimeError(secret)

    calls = door.api._calls
    for gathering in (calls._place, calls._identify, calls._statuses, calls._price_list):
        monkeypatch.setattr(gathering, "_perform", broken)
    with books.untouched(), capture_logs(processors=[merge_contextvars]) as logs:
        replies = [door.post({**order, "action": action}) for action in ("add", "balance", "status")]
    assert [reply.body for reply in replies] == [refused(500, "Internal error")] * 3
    failures = {entry["request_id"]: entry for entry in logs if entry["event"] == "request_failed"}
    assert failures.keys() == {reply.headers["x-request-id"] for reply in replies}
    assert all(entry["exc_info"] and entry["log_level"] == "error" for entry in failures.values())
    assert order["key"] not in repr(logs)


def test_a_refusal_that_nobody_knows_is_an_internal_error(
    door: Door, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "TEXTS", {})
    with capture_logs(processors=[merge_contextvars]) as logs:
        reply = door.post(order | {"request_id": ""})
    assert reply.error == (500, "Internal error")
    assert logs[0]["request_id"] == reply.headers["x-request-id"]


def test_keys_are_never_in_logs(
    settings: Settings, fresh_database: str, fresh_order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything at the lowest level, libraries too, over real HTTP: good calls, refused ones, an outage."""
    caplog.set_level(logging.DEBUG)
    with (
        capture_logs(processors=[merge_contextvars]) as logs,
        serving(replace(settings, database_url=fresh_database)) as server,
    ):
        server.post(fresh_order, request_id="a")
        server.post(fresh_order)
        server.post(fresh_order | {"link": "x"}, request_id="b")
        server.request(fresh_order["key"].encode(), "multipart/form-data; boundary=" + fresh_order["key"])
        with closed(fresh_database):
            assert_unavailable(server.post(fresh_order, request_id="c"))
        server.post(fresh_order, request_id="c")
    assert logs
    assert fresh_order["key"] not in repr(logs) + caplog.text


def test_requests_do_not_wait_for_a_locked_wallet_of_somebody_elses_status(
    door: Door, pool: Pool, customer: Customer, service: ServiceId
) -> None:
    """A look at orders or a balance goes on while money moves."""
    with pool.transaction() as conn, ThreadPoolExecutor(1) as thread:
        conn.execute("SELECT 1 FROM wallets WHERE account_id = %s FOR UPDATE", [customer.account])
        looking = thread.submit(door.post, key=customer.key, action="balance")
        assert looking.result(5).value["balance"] == "100.00"
