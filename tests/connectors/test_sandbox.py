"""The sandbox provider, over real HTTP against a process of its own."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandboxes import Upstream, running, until

from panelry.connectors.sandbox import dialects, faults, orders, paces, reports, wire
from panelry.connectors.sandbox.behaviours import BEHAVIOURS, Row, Wire
from panelry.connectors.sandbox.catalog import SERVICES
from panelry.connectors.sandbox.drafts import Draft
from panelry.connectors.sandbox.orders import Order, Pulse, Refill
from panelry.connectors.sandbox.refusals import Problem
from panelry.connectors.sandbox.service_types import TYPES

DOCUMENT = Path(__file__).parents[2] / "docs" / "operators" / "sandbox.md"
BEGUN = datetime(2026, 11, 22, tzinfo=UTC)
BEHAVING = (
    *(
        "instant",
        "steady",
        "partial",
        "cancelled",
        "refuses link",
        "accepts then hangs",
        "accepts then resets",
    ),
    *("bad gateway", "busy link", "drops", "manual pace", "refuses cancel", "out of funds", "goes backwards"),
    "no refill",
)
TYPE_NAMES = (
    *(
        "Default",
        "Package",
        "Custom Comments",
        "Custom Comments Package",
        "Mentions",
        "Mentions with Hashtags",
    ),
    *("Mentions Custom List", "Mentions Hashtag", "Mentions User Followers", "Mentions Media Likers"),
    *(
        "Comment Likes",
        "Comment Replies",
        "Poll",
        "Invites from Groups",
        "SEO",
        "Web Traffic",
        "Subscriptions",
    ),
)
TEN_LINES = "\n".join(f"line {n}" for n in range(10))
VALUES = {
    "link": "https://example.com/a",
    "quantity": "10",
    "username": "bob",
    "hashtag": "tag",
    **dict.fromkeys(("comments", "usernames", "hashtags", "groups", "keywords"), TEN_LINES),
    "media": "https://example.com/m",
    "answer_number": "2",
    "country": "DE",
    "device": "5",
    "type_of_traffic": "3",
    "min": "10",
    "max": "20",
    "delay": "0",
}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """Twenty times as fast as life."""
    with running(tmp_path_factory.mktemp("classic") / "log", speed=20) as started:
        yield started


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """At the speed of life."""
    with running(tmp_path_factory.mktemp("slow") / "log") as started:
        yield started


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """In the dialect of panelry."""
    with running(tmp_path_factory.mktemp("ours") / "log", speed=20, dialect="panelry") as started:
        yield started


def test_the_catalogue_is_the_one_of_the_specification(upstream: Upstream) -> None:
    rows = upstream.call("services")
    assert [(int(row["service"]), row["name"]) for row in rows] == [
        *enumerate(BEHAVING, start=1),
        *enumerate(TYPE_NAMES, start=20),
    ]
    for row in rows:
        packaged = row["type"] in {"Package", "Custom Comments Package"}
        expected = ("75.00", "1", "1") if packaged else ("1.00", "10", "1000000")
        assert (row["rate"], row["min"], row["max"]) == expected
        assert row["dripfeed"] is (row["service"] in {"1", "2", "20", "35"})
        assert row["refill"] is row["cancel"] is (row["service"] != "15")
        assert row["type"] == ("Default" if int(row["service"]) < 20 else row["name"])


def test_our_dialect_lists_numbers_and_packages(ours: Upstream) -> None:
    rows = {row["service"]: row for row in ours.call("services")}
    assert rows[21]["per"] == rows[23]["per"] == "package"
    assert "per" not in rows[20]


def test_every_name_has_its_function_and_every_no_its_text() -> None:
    assert {service.behaviour for service in SERVICES.values()} <= BEHAVIOURS.keys()
    assert wire._SEND.keys() == set(Wire)
    assert reports._BENT.keys() == set(Row)
    assert all(dialect.texts.keys() == set(Problem) for dialect in dialects.DIALECTS.values())
    assert all(dialect.words.keys() == set(paces.Word) for dialect in dialects.DIALECTS.values())
    assert all(
        dialect.refill_words.keys() == set(orders.RefillWord) for dialect in dialects.DIALECTS.values()
    )


def test_every_name_that_can_be_chosen_is_documented() -> None:
    documented = set(re.findall("`([a-z_0-9]+)`", DOCUMENT.read_text()))
    assert {*BEHAVIOURS, *faults.CATALOGUES, *Wire} <= documented


@given(
    name=st.sampled_from([name for name, row in BEHAVIOURS.items() if row.accepts]),
    units=st.integers(1, 10**9),
    seconds=st.floats(0, 10**6),
)
def test_no_pace_delivers_less_than_nothing_or_more_than_all(name: str, units: int, seconds: float) -> None:
    for pace in (BEHAVIOURS[name].pace, BEHAVIOURS[name].refilled):
        progress = pace(units, seconds)
        assert 0 <= progress.delivered <= units
        assert 0 <= progress.remains <= units


@given(
    name=st.sampled_from([name for name, row in BEHAVIOURS.items() if row.accepts]),
    seconds=st.integers(0, 100).map(lambda whole: whole + 0.45),
    speed=st.floats(0.1, 100),
    cancel=st.booleans(),
    refill=st.booleans(),
)
def test_speed_scales_everything_that_an_order_does(
    name: str, seconds: float, speed: float, *, cancel: bool, refill: bool
) -> None:
    order = Order(
        id="1",
        service=SERVICES[36],
        behaviour=BEHAVIOURS[name],
        draft=Draft(link="", units=10),
        request_id=None,
        at=BEGUN,
    )
    asked = Refill(id="1", order="1", at=BEGUN)
    slow = Pulse(now=BEGUN + timedelta(seconds=seconds), speed=1)
    fast = Pulse(now=BEGUN + timedelta(seconds=seconds / speed), speed=speed)
    assert orders.refill_word(order, asked, slow) is orders.refill_word(order, asked, fast)
    words = [
        orders.progress(
            order, pulse, cancel_at=BEGUN if cancel else None, refills=[asked] if refill else []
        ).word
        for pulse in (slow, fast)
    ]
    assert words[0] is words[1]


@pytest.mark.parametrize("path", ["/api/v2", "/some/panel/api/v2", "/api/v1", "/api.php", "/"])
def test_it_answers_on_every_path_that_panels_use(upstream: Upstream, path: str) -> None:
    status, body = upstream.raw("key=secret&action=balance", path=path)
    assert (status, json.loads(body)["currency"]) == (200, "USD")


def test_json_and_form_bodies_are_the_same(upstream: Upstream) -> None:
    body = json.dumps({"key": "secret", "action": "status", "orders": [10**9, "x"]})
    as_json = upstream.raw(body, type_="application/json")
    assert as_json == upstream.raw(urlencode({"key": "secret", "action": "status", "orders": "1000000000,x"}))
    assert as_json[0] == 200


def test_a_wrong_key_is_told_in_the_manner_of_the_dialect(upstream: Upstream, ours: Upstream) -> None:
    for provider, status in ((upstream, 200), (ours, 400)):
        for body in ("key=wrong&action=balance", "action=balance"):
            assert provider.raw(body) == (status, b'{"error":"Invalid API key"}')


def test_a_body_over_one_mebibyte_is_refused(upstream: Upstream) -> None:
    assert upstream.raw("key=secret&comments=" + "x" * 1024 * 1024)[0] == 413


def test_instant_completes_within_a_second(slow: Upstream) -> None:
    order = slow.add(1)
    time.sleep(0.8)
    assert slow.call("status", order=order) == {
        "charge": "0.10",
        "start_count": "100",
        "status": "Completed",
        "remains": "0",
        "currency": "USD",
    }


def test_steady_delivers_evenly_over_a_minute(upstream: Upstream) -> None:
    order, begun = upstream.add(2, quantity=60_000), time.monotonic()
    time.sleep(1)
    status = upstream.call("status", order=order)
    expected = 60_000 - 20_000 * (time.monotonic() - begun)
    assert status["status"] == "In progress"
    assert abs(int(status["remains"]) - expected) < 4_000
    until(lambda: upstream.word(order) == "Completed")


def test_partial_keeps_what_was_delivered(upstream: Upstream) -> None:
    order = upstream.add(3)
    until(lambda: upstream.word(order) == "Partial")
    status = upstream.call("status", order=order)
    assert (status["remains"], status["charge"]) == ("60", "0.04")


def test_cancelled_delivers_nothing_and_costs_nothing(upstream: Upstream) -> None:
    order = upstream.add(4)
    assert upstream.word(order) == "Pending"
    until(lambda: upstream.word(order) == "Canceled")
    status = upstream.call("status", order=order)
    assert (status["remains"], status["charge"]) == ("100", "0.00")


def test_goes_backwards_completes_and_later_is_in_progress_again(upstream: Upstream) -> None:
    order = upstream.add(14)
    until(lambda: upstream.word(order) == "Completed")
    until(lambda: upstream.word(order) == "In progress")


@pytest.mark.parametrize(("service", "text"), [(5, "Bad link"), (13, "Not enough funds on balance")])
def test_a_refused_order_is_neither_logged_nor_charged(upstream: Upstream, service: int, text: str) -> None:
    before = (upstream.lines(), upstream.call("balance"))
    answer = upstream.call("add", service=service, link=upstream.new_link(), quantity=10)
    assert answer == {"error": text}
    assert (upstream.lines(), upstream.call("balance")) == before


def test_hanging_accepts_and_never_answers(upstream: Upstream) -> None:
    body = "key=secret&action=add&service=6&link=https://h.example&quantity=10"
    with upstream.asking(body, timeout=1) as client, pytest.raises(TimeoutError):
        client.recv(1)
    line = upstream.lines()[-1]
    assert (line["service"], line["link"]) == (6, "https://h.example")
    assert upstream.word(line["order"]) == "In progress"


def test_resetting_accepts_and_closes_without_an_answer(upstream: Upstream) -> None:
    with pytest.raises(ConnectionResetError):
        upstream.add(7)
    line = upstream.lines()[-1]
    assert (line["service"], upstream.word(line["order"])) == (7, "In progress")


def test_a_bad_gateway_accepts_nothing(upstream: Upstream) -> None:
    before = upstream.lines()
    status, body = upstream.raw("key=secret&action=add&service=8&link=https://e.example&quantity=10")
    assert (status, body.startswith(b"<html>")) == (502, True)
    assert upstream.lines() == before


def test_a_busy_link_takes_one_order_at_a_time(upstream: Upstream) -> None:
    link = upstream.new_link()
    first = upstream.call("add", service=9, link=link, quantity=10)["order"]
    refused = upstream.call("add", service=9, link=link, quantity=10)
    assert "active order with this link" in refused["error"]
    assert upstream.add(9) > first
    until(lambda: upstream.word(first) == "Completed")
    assert "order" in upstream.call("add", service=9, link=link, quantity=10)


def test_a_drop_comes_back_with_a_refill(upstream: Upstream) -> None:
    order = upstream.add(10)
    until(lambda: upstream.has_dropped(order))
    refill = upstream.call("refill", order=order)["refill"]
    assert upstream.call("refill", order=order) == {"error": "A refill is already pending"}
    assert upstream.call("refill_status", refill=refill) == {"status": "In progress"}
    until(lambda: upstream.call("refill_status", refill=refill) == {"status": "Completed"})
    assert upstream.call("status", order=order)["remains"] == "0"


def test_a_batch_of_refills_tells_each_its_own(upstream: Upstream) -> None:
    done, early, never = upstream.add(1), upstream.add(11), upstream.add(15)
    until(lambda: upstream.word(done) == upstream.word(never) == "Completed")
    rows = upstream.call("refill", orders=f"{done},{early},{never},999999999")
    refill = rows[0]["refill"]
    assert rows == [
        {"order": done, "refill": refill},
        {"order": early, "refill": {"error": "Order is not eligible for refill"}},
        {"order": never, "refill": {"error": "Refill is not available for this service"}},
        {"order": 999999999, "refill": {"error": "Incorrect order ID"}},
    ]
    assert upstream.call("refill_status", refills=f"{refill},999999999") == [
        {"refill": refill, "status": "In progress"},
        {"refill": 999999999, "status": {"error": "Refill not found"}},
    ]


def test_a_cancel_is_granted_refused_and_logged_once(upstream: Upstream) -> None:
    waiting, refusing, without = upstream.add(11), upstream.add(12), upstream.add(15)
    begun = upstream.add(2, quantity=100_000)
    no = {"error": "Order cannot be cancelled"}
    asked = ",".join(map(str, (waiting, refusing, without)))
    time.sleep(0.1)
    for _ in range(2):
        assert upstream.call("cancel", orders=f"{asked},{begun},999999999") == [
            {"order": waiting, "cancel": 1},
            {"order": refusing, "cancel": no},
            {"order": without, "cancel": no},
            {"order": begun, "cancel": 1},
            {"order": 999999999, "cancel": {"error": "Incorrect order ID"}},
        ]
    until(lambda: upstream.word(waiting) == "Canceled")
    until(lambda: upstream.word(begun) == "Partial")
    cancels = [line for line in upstream.lines() if "cancel" in line]
    assert [line["order"] for line in cancels] == [waiting, begun]
    assert all(line.keys() == {"cancel", "order", "at"} for line in cancels)


def test_a_multi_status_answers_an_error_for_ids_it_does_not_know(upstream: Upstream) -> None:
    order = upstream.add(11)
    rows = upstream.call("status", orders=f"{order},999999999")
    assert rows[str(order)]["status"] == "Pending"
    assert rows["999999999"] == {"error": "Incorrect order ID"}
    assert upstream.call("status", order=999999999) == {"error": "Incorrect order ID"}


def test_the_balance_falls_exactly_by_what_was_accepted(upstream: Upstream) -> None:
    before = Decimal(upstream.call("balance")["balance"])
    upstream.add(1, quantity=57)
    upstream.call("add", service=21, link=upstream.new_link())
    upstream.call("add", service=20, link=upstream.new_link(), quantity=10, runs=3, interval=5)
    assert before - Decimal(upstream.call("balance")["balance"]) == Decimal("0.057") + 75 + Decimal("0.03")
    assert [line["quantity"] for line in upstream.lines()[-3:]] == [57, 1, 30]


@pytest.mark.parametrize(("id_", "name"), [*enumerate(TYPE_NAMES, start=20)])
def test_a_type_takes_its_parameters_and_misses_each(upstream: Upstream, id_: int, name: str) -> None:
    call = {required: VALUES[required] for required in TYPES[name].required}
    order = upstream.call("add", service=id_, **call)["order"]
    assert upstream.lines()[-1]["quantity"] == (1 if "Package" in name else 10)
    for missing in call:
        partly = {required: value for required, value in call.items() if required != missing}
        assert upstream.call("add", service=id_, **partly) == {"error": f"{missing} is required"}
    until(lambda: upstream.word(order) == "Completed")


@pytest.mark.parametrize(
    ("service", "wrong"),
    [
        (1, {"quantity": 9}),
        (1, {"quantity": 1_000_001}),
        (1, {"quantity": "1e3"}),
        (1, {"quantity": "\u0663\u0663"}),
        (3, {"runs": 2, "interval": 5}),
        (1, {"runs": 2}),
        (1, {"runs": 0, "interval": 5}),
        (22, {"comments": "too\nfew"}),
        (26, {"usernames": "\n".join("abcdefghi") + "\n\n \n"}),
        (32, {"answer_number": 0}),
        (35, {"device": 6}),
        (35, {"type_of_traffic": 1}),
        (35, {"type_of_traffic": 2}),
        (36, {"min": 21}),
        (36, {"expiry": "31/02/2030"}),
        (99, {}),
    ],
)
def test_a_wrong_parameter_buys_nothing(upstream: Upstream, service: int, wrong: dict[str, object]) -> None:
    before = upstream.lines()
    required = TYPES[SERVICES[service].type].required if service in SERVICES else ()
    assert "error" in upstream.call(
        "add", service=service, **{name: VALUES[name] for name in required} | wrong
    )
    assert upstream.lines() == before


def test_posts_of_a_subscription_arrive(slow: Upstream) -> None:
    order = slow.call("add", service=36, username="bob", min=10, max=20, delay=0, posts=40)["order"]
    assert slow.word(order) == "Active"
    until(lambda: 0 < len(slow.call("status", order=order)["orders"]) < 40)
    until(lambda: slow.word(order) == "Completed")
    assert len(slow.call("status", order=order)["orders"]) == 40
