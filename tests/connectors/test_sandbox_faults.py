"""The sandbox provider's faults, its truth through kills, and its idempotency, over real HTTP."""

import http.client
import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from sandboxes import Upstream, running, until


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    with running(tmp_path_factory.mktemp("classic") / "log", speed=20) as started:
        yield started


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    with running(tmp_path_factory.mktemp("ours") / "log", speed=20, dialect="panelry") as started:
        yield started


def add_raw(upstream: Upstream, fault: str) -> tuple[int, bytes]:
    link = upstream.new_link(fault)
    return upstream.raw(
        urlencode({"key": "secret", "action": "add", "service": 1, "link": link, "quantity": 100})
    )


def silent_add(upstream: Upstream) -> socket.socket:
    body = f"key=secret&action=add&service=6&link={upstream.new_link()}&quantity=10"
    return upstream.asking(body, timeout=5)


@pytest.mark.parametrize(
    ("fault", "status", "beginning", "length"),
    [
        ("accepted_bad_gateway", 502, b"<html>", None),
        ("accepted_login_page", 200, b"<!DOCTYPE html>", None),
        ("truncated", 200, b'{"or', None),
        ("wrong_types", 200, b'{"order":{"value":null}}', 24),
        ("no_id", 200, b'{"status":"success"}', 20),
        ("huge", 200, b"    ", 50 * 1024 * 1024 + 11),
        ("disguised", 200, '\ufeff \r\n{\n    "order": '.encode(), None),
    ],
)
def test_a_link_chooses_a_bad_answer_to_an_order_that_was_accepted(
    upstream: Upstream, fault: str, status: int, beginning: bytes, length: int | None
) -> None:
    before = len(upstream.lines())
    answered, body = add_raw(upstream, fault)
    assert (answered, body[: len(beginning)]) == (status, beginning)
    assert length is None or length <= len(body) <= length + 3
    assert len(upstream.lines()) == before + 1
    if fault == "truncated":
        with pytest.raises(ValueError, match="Unterminated"):
            json.loads(body)


@pytest.mark.parametrize(
    ("fault", "status", "beginning"),
    [
        ("bad_gateway", 502, b"<html>"),
        ("login_page", 200, b"<!DOCTYPE html>"),
        ("too_many_requests", 429, b'{"error":"Too many requests"}'),
        ("strange_error", 200, b'{"error":"The stars are not aligned"}'),
        ("no_such_name", 200, b'{"error":"Unknown sandbox behaviour: no_such_name"}'),
    ],
)
def test_a_link_chooses_a_refusal_that_accepts_nothing(
    upstream: Upstream, fault: str, status: int, beginning: bytes
) -> None:
    before = upstream.lines()
    answered, body = add_raw(upstream, fault)
    assert (answered, body[: len(beginning)]) == (status, beginning)
    assert upstream.lines() == before


@pytest.mark.parametrize(("fault", "accepted"), [("reset", 1), ("lost_reset", 0)])
def test_a_reset_tells_nothing_of_what_was_accepted(upstream: Upstream, fault: str, accepted: int) -> None:
    before = len(upstream.lines())
    with pytest.raises(ConnectionResetError):
        add_raw(upstream, fault)
    assert len(upstream.lines()) == before + accepted


def test_an_answer_cut_short_is_seen_to_be(upstream: Upstream) -> None:
    with pytest.raises(http.client.IncompleteRead):
        add_raw(upstream, "cut_short")


def test_a_slow_drip_comes_byte_by_byte(upstream: Upstream) -> None:
    body = f"key=secret&action=add&service=1&quantity=10&link={upstream.new_link('slow_drip')}"
    with upstream.asking(body, timeout=2) as client:
        begun, got = time.monotonic(), b""
        while time.monotonic() < begun + 1.2:
            got += client.recv(1024)
    assert 3 <= got.count(b"1\r\n \r\n") <= 6
    assert b"order" not in got.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("fault", "field", "value"),
    [
        ("remains_too_large", "remains", "5000000"),
        ("remains_negative", "remains", "-5"),
        ("remains_unknown", "remains", "Unknown"),
        ("unknown_word", "status", "Meditating"),
        ("wrong_status_types", "charge", [{"wrong": True}]),
        ("backwards", "status", "In progress"),
        ("fails", "status", "Refunded"),
        ("corrected_up", "remains", "80"),
        ("corrected_down", "remains", "40"),
        ("cancelled_remains_zero", "remains", "0"),
        ("cancelled_still_charged", "charge", "0.50"),
        ("no_counts", "remains", ""),
        ("no_counts", "charge", None),
        ("drip_feed", "runs", "5"),
        ("drops_to_partial", "status", "Partial"),
    ],
)
def test_a_link_chooses_a_bent_status(upstream: Upstream, fault: str, field: str, value: object) -> None:
    order = upstream.add(2, fault=fault)
    until(lambda: upstream.call("status", order=order)[field] == value)


def test_an_absent_order_is_missing_from_its_batch(upstream: Upstream) -> None:
    absent, present = upstream.add(1, fault="absent"), upstream.add(1)
    assert upstream.call("status", orders=f"{absent},{present}").keys() == {str(present)}


def test_an_order_under_another_id_is_in_its_batch_and_not_by_itself(upstream: Upstream) -> None:
    order = upstream.add(1, fault="other_id")
    assert upstream.call("status", orders=order).keys() == {f"{order}0"}
    assert "charge" in upstream.call("status", order=order)


def test_a_batch_without_rows_is_a_list_in_the_classic_dialect_and_a_map_in_ours(
    upstream: Upstream, ours: Upstream
) -> None:
    assert upstream.call("status", orders=upstream.add(1, fault="absent")) == []
    assert ours.call("status", orders="ord_unknown") == {}


def test_the_next_batches_can_be_about_others(upstream: Upstream) -> None:
    orders = [upstream.add(11) for _ in range(2)]
    asked = ",".join(map(str, orders))
    for fault, ids in (("other_ids", [int(f"{order}0") for order in orders]), ("missing_ids", orders[1:])):
        upstream.faults(next={"action": "status", "fault": fault})
        upstream.faults(next={"action": "cancel", "fault": fault})
        assert [*upstream.call("status", orders=asked)] == [str(id_) for id_ in ids]
        assert [row["order"] for row in upstream.call("cancel", orders=asked)] == ids


def test_the_catalogue_can_go_wrong_as_a_whole(upstream: Upstream) -> None:
    whole = upstream.call("services")
    assert upstream.faults(services="half")[0] == 200
    half = upstream.call("services")
    assert 0 < len(half) < len(whole) / 2
    assert all(row in whole for row in half)
    upstream.faults(services="price_x1000")
    dear = upstream.call("services")
    assert [Decimal(row["rate"]) for row in dear] == [1000 * Decimal(row["rate"]) for row in whole]
    upstream.faults(services="dearer")
    dearer = upstream.call("services")
    assert [Decimal(row["rate"]) for row in dearer] == [Decimal(row["rate"]) * 11 / 10 for row in whole]
    upstream.faults(services="one_gone")
    assert upstream.call("services") == whole[1:]
    upstream.faults(services="other_limits")
    assert {(row["min"], row["max"]) for row in upstream.call("services")} == {("20", "500")}
    upstream.faults(services="min_above_max")
    assert {(row["min"], row["max"]) for row in upstream.call("services")} == {("500", "20")}
    upstream.faults(services="empty")
    assert upstream.call("services") == []
    upstream.faults(services="error")
    assert "error" in upstream.call("services")
    upstream.faults(services=None)
    assert upstream.call("services") == whole


def test_the_next_calls_can_be_told_what_to_do(upstream: Upstream) -> None:
    upstream.faults(next={"action": "status", "fault": "bad_gateway", "times": 2})
    upstream.faults(next={"action": "add", "fault": "manual"})
    order = upstream.add(1)
    statuses = [upstream.raw(f"key=secret&action=status&order={order}")[0] for _ in range(3)]
    assert statuses == [502, 502, 200]
    time.sleep(0.1)
    assert upstream.word(order) == "Pending"


@pytest.mark.parametrize(
    "wishes",
    [{"services": "none"}, {"other": 1}, {"next": {"action": "add", "fault": "huge!"}}, {"next": [1]}],
)
def test_an_unknown_fault_is_refused(upstream: Upstream, wishes: dict[str, object]) -> None:
    assert upstream.faults(**wishes)[0] == 400


def test_what_was_answered_is_in_the_log_however_many_ask_at_once(upstream: Upstream) -> None:
    with ThreadPoolExecutor(16) as threads:
        ids = list(threads.map(lambda _: upstream.add(1, quantity=10), range(400)))
    assert len(set(ids)) == 400
    assert set(ids) <= {line["order"] for line in upstream.lines()}


def test_a_line_of_the_log_has_these_fields_and_no_others(upstream: Upstream, ours: Upstream) -> None:
    link = upstream.new_link()
    order = upstream.call("add", service=1, link=link, quantity=10)["order"]
    (line,) = [line for line in upstream.lines() if line.get("order") == order]
    assert {**line, "at": ""} == {
        "order": order,
        "service": 1,
        "link": link,
        "quantity": 10,
        "request_id": None,
        "at": "",
    }
    order = ours.call("add", service=1, link=link, quantity=10, request_id="fields")["order"]
    (line,) = [line for line in ours.lines() if line["order"] == order]
    assert (line["service"], line["request_id"]) == (1, "fields")


@pytest.mark.parametrize("dialect", ["classic", "panelry"])
def test_a_killed_sandbox_comes_back_with_its_truth(tmp_path: Path, dialect: str) -> None:
    log, numbers = tmp_path / "log", iter(range(10**6))

    def add(upstream: Upstream, service: int) -> Any:
        number = next(numbers)
        fields = {"link": f"https://e.example/{number}", "quantity": 10, "request_id": f"r{number}"}
        return upstream.call("add", service=service, **fields)["order"]

    with running(log, speed=20, dialect=dialect) as upstream:
        orders = [add(upstream, service) for service in (1, 2, 11, 11)]
        until(lambda: upstream.word(orders[0]).lower() == "completed")
        refill = upstream.call("refill", order=orders[0])["refill"]
        upstream.call("cancel", order=orders[3])
        until(lambda: upstream.word(orders[3]).lower() in {"canceled", "cancelled"})
        words, balance = [upstream.word(order) for order in orders], upstream.call("balance")
        upstream.process.kill()
    with log.open("ab") as file:
        file.write(b'{"order": 77, "serv')
    with running(log, speed=20, dialect=dialect) as upstream:
        later = [upstream.word(order) for order in orders]
        assert later == words or (
            later[1].lower() == "completed" and later[:1] + later[2:] == words[:1] + words[2:]
        )
        assert upstream.call("balance") == balance
        assert upstream.call("refill_status", refill=refill)["status"].lower() in {
            "in progress",
            "in_progress",
            "completed",
        }
        newer = add(upstream, 1)
        assert newer not in orders
        assert dialect == "panelry" or newer == max(orders, key=int) + 1
        assert upstream.lines()[-1]["order"] == newer


def test_it_stops_within_a_second_while_clients_hang(tmp_path: Path) -> None:
    with running(tmp_path / "log") as upstream, silent_add(upstream), silent_add(upstream):
        until(lambda: len(upstream.lines()) == 2)
        begun = time.monotonic()
        upstream.process.send_signal(signal.SIGTERM)
        assert upstream.process.wait(timeout=5) == 0
        assert time.monotonic() - begun < 1


def test_a_request_id_buys_once(ours: Upstream) -> None:
    call = {"service": 1, "link": "https://once.example", "quantity": 10, "request_id": "once"}
    answers = [ours.status_and_json("add", **call) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0][1]["order"].startswith("ord_")
    assert [line["request_id"] for line in ours.lines()].count("once") == 1
    assert ours.status_and_json("add", **call | {"quantity": 11}) == (
        400,
        {"error": "request_id was already used with different parameters"},
    )
    without = {name: value for name, value in call.items() if name != "request_id"}
    missing = {"error": "Missing required parameter: request_id"}
    assert ours.status_and_json("add", **without) == (400, missing)


def test_concurrent_twins_are_one_order(ours: Upstream) -> None:
    call = {"service": 1, "link": "https://twin.example", "quantity": 10, "request_id": "twin"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: ours.call("add", **call)["order"], range(8)))
    assert len(set(answers)) == 1
    assert [line["request_id"] for line in ours.lines()].count("twin") == 1


@pytest.mark.parametrize("service", [6, 7])
def test_a_repeat_after_silence_or_reset_is_answered(ours: Upstream, service: int) -> None:
    request_id = f"again{service}"
    fields = f"&link=https://a.example&quantity=10&request_id={request_id}"
    body = f"key=secret&action=add&service={service}{fields}"
    with (
        ours.asking(body, timeout=0.5) as client,
        pytest.raises((TimeoutError, ConnectionResetError)),
    ):
        client.recv(1)
    (line,) = [line for line in ours.lines() if line["request_id"] == request_id]
    status, answer = ours.raw(body)
    assert (status, json.loads(answer)) == (200, {"order": line["order"]})
    assert len([line for line in ours.lines() if line["request_id"] == request_id]) == 1


def test_a_request_id_is_remembered_through_a_kill(tmp_path: Path) -> None:
    call = {"service": 2, "link": "https://kill.example", "quantity": 10, "request_id": "kept"}
    with running(tmp_path / "log", dialect="panelry") as upstream:
        order = upstream.call("add", **call)
        upstream.process.kill()
    with running(tmp_path / "log", dialect="panelry") as upstream:
        assert upstream.call("add", **call) == order
        assert upstream.status_and_json("add", **call | {"quantity": 11})[0] == 400
        assert len(upstream.lines()) == 1


def test_our_dialect_speaks_our_words(ours: Upstream) -> None:
    link = "https://words.example"
    done = ours.call("add", service=1, link=link, quantity=100, request_id="words1")["order"]
    drip = ours.call("add", service=2, link=link, quantity=10, runs=4, interval=1, request_id="words2")[
        "order"
    ]
    until(lambda: ours.word(done) == "completed")
    rows = ours.call("status", orders=f"{done},{drip},ord_unknown")
    assert rows.keys() == {done, drip}
    assert rows[done] == {
        "charge": "0.10",
        "start_count": "100",
        "status": "completed",
        "remains": "0",
        "currency": "USD",
    }
    assert (rows[drip]["status"], rows[drip]["runs"], rows[drip]["runs_done"]) == ("in_progress", "4", "0")
    assert ours.status_and_json("status", order="ord_unknown") == (400, {"error": "Order not found"})
    assert ours.call("cancel", order=drip) == {"cancel": drip}
    assert ours.call("refill", order=done)["refill"].startswith("ref_")
