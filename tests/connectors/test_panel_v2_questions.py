import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from upstreams import Question, adding, ask, ask_at, refusing_port

from panelry.connectors.addresses import PUBLIC_HTTPS
from panelry.domain.providers import (
    Dialect,
    Report,
    RowError,
    UpstreamBalance,
    UpstreamService,
    UpstreamState,
)
from panelry.domain.refusals import PermanentFailure, TemporaryFailure

CATALOGUES = Path(__file__).parent / "catalogues"


def statuses(body: bytes | str, *ids: str, **more: Any) -> dict[str, Report | RowError]:
    return ask(lambda connector: connector.statuses(ids), body, **more)


def services(body: bytes | str, **more: Any) -> list[UpstreamService]:
    return ask(lambda connector: connector.services(), body, **more)


def balance(body: bytes | str, **more: Any) -> UpstreamBalance:
    return ask(lambda connector: connector.balance(), body, **more)


EVERY_QUESTION = [
    lambda c: c.statuses(["1"]),
    lambda c: c.cancel(["1"]),
    lambda c: c.refill("1"),
    lambda c: c.refill_status("1"),
    lambda c: c.services(),
    lambda c: c.balance(),
]

# status


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Pending", UpstreamState.PENDING),
        ("awaiting", UpstreamState.PENDING),
        ("", UpstreamState.PENDING),
        ("Processing", UpstreamState.PROCESSING),
        ("In progress", UpstreamState.IN_PROGRESS),
        ("in_progress", UpstreamState.IN_PROGRESS),
        ("IN-PROGRESS", UpstreamState.IN_PROGRESS),
        ("Inprogress", UpstreamState.IN_PROGRESS),
        ("Active", UpstreamState.IN_PROGRESS),
        ("Completed", UpstreamState.COMPLETED),
        ("complete", UpstreamState.COMPLETED),
        ("Partial", UpstreamState.PARTIAL),
        ("Partially Completed", UpstreamState.PARTIAL),
        ("partially_completed", UpstreamState.PARTIAL),
        ("Canceled", UpstreamState.CANCELLED),
        ("cancelled", UpstreamState.CANCELLED),
        ("Refunded", UpstreamState.REFUNDED),
        ("Fail", UpstreamState.REFUNDED),
        ("Error", UpstreamState.REFUNDED),
        ("Paused", UpstreamState.PAUSED),
        ("On hold", UpstreamState.PAUSED),
        ("Expired", UpstreamState.EXPIRED),
        ("Completed?", None),
        ("Warming up", None),
    ],
)
def test_words_are_understood_and_unknown_ones_are_kept(word: str, state: UpstreamState | None) -> None:
    body = json.dumps(
        {"7": {"status": word, "charge": "0.5", "start_count": "1", "remains": "2", "currency": "EUR"}}
    )
    assert statuses(body, "7") == {
        "7": Report(state=state, word=word, start_count=1, remains=2, charge=Decimal("0.5"))
    }


def test_a_providers_own_words_are_looked_at_first() -> None:
    dialect = Dialect(words={"warming_up": UpstreamState.PROCESSING, "completed": UpstreamState.PARTIAL})
    body = '{"1":{"status":"Warming-Up"},"2":{"status":"Completed"},"3":{"status":"Canceled"}}'
    reports = statuses(body, "1", "2", "3", dialect=dialect)
    states = [report.state for report in reports.values() if isinstance(report, Report)]
    assert states == [UpstreamState.PROCESSING, UpstreamState.PARTIAL, UpstreamState.CANCELLED]


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("650", 650),
        ('"650"', 650),
        ('" 650 "', 650),
        ("650.0", 650),
        ('"650.00"', 650),
        ("-12", -12),
        ('"-12"', -12),
        ("2147483648", 2147483648),
        ("0", 0),
        ("null", None),
        ('""', None),
        ('"Unknown"', None),
        ('"1,5"', None),
        ("1.5", None),
        ("1e3", None),
        ("NaN", None),
        ("Infinity", None),
        ("true", None),
        ("[]", None),
        ("9" * 400, None),
        ("9" * 5000, None),
        ('"' + "9" * 5000 + '"', None),
        ('"٣"', None),
    ],
)
def test_counts_are_read_exactly_or_not_at_all(written: str, count: int | None) -> None:
    body = f'{{"7":{{"status":"Partial","remains":{written},"start_count":{written}}}}}'
    assert statuses(body, "7") == {
        "7": Report(state=UpstreamState.PARTIAL, word="Partial", start_count=count, remains=count)
    }


def test_a_batch_may_hold_anything_and_only_what_was_asked_comes_back() -> None:
    body = """{"1":{"status":"Completed","remains":0},"2":{"error":"Incorrect order ID"},"3":"Order not found","4":null,
        "5":[],"6":{"status":"error","message":"No such order"},"7":{"status":"Error","remains":"10"},"8":{},
        "9":{"status":"Active","posts":3,"expiry":"1/2/2030","orders":["11","12"]},
        "10":{"status":"In progress","runs":"5","orders":[{"order":1}]},
        "11":{"status":5},"12":{"status":null,"remains":3},"13":{"status":["x"]},"14":{"status":"fail"},"15":{"status":"error","posts":2},"16":{"status":"Error","runs":2,"orders":[]},
        "99":{"status":"Completed"}}"""
    assert statuses(body, *(str(n) for n in range(1, 18))) == {
        "1": Report(state=UpstreamState.COMPLETED, word="Completed", remains=0),
        "2": RowError(text="Incorrect order ID"),
        "3": RowError(text="Order not found"),
        "6": RowError(text="No such order"),
        "7": Report(state=UpstreamState.REFUNDED, word="Error", remains=10),
        "9": Report(state=UpstreamState.IN_PROGRESS, word="Active", posts_done=2, expiry="1/2/2030"),
        "10": Report(state=UpstreamState.IN_PROGRESS, word="In progress"),
        "11": Report(state=None, word="5"),
        "12": Report(state=UpstreamState.PENDING, word="", remains=3),
        "13": Report(state=None, word=""),
        "14": RowError(text="status: error"),
        "15": Report(state=UpstreamState.REFUNDED, word="error"),
        "16": Report(state=UpstreamState.REFUNDED, word="Error"),
    }


@pytest.mark.parametrize(
    ("row", "posts_done", "expiry"),
    [
        ({"posts": "10", "expiry": "31/12/2030", "orders": ["5", "6"]}, 2, "31/12/2030"),
        ({"posts": 10, "orders": {"0": {"order": 5}, "1": {"order": 6}, "2": None}}, 3, ""),
        ({"posts": 10, "orders": []}, 0, ""),
        ({"posts": 10, "orders": {}}, 0, ""),
        ({"posts": None, "orders": [5]}, 1, ""),
        ({"expiry": None, "posts": "", "orders": [5]}, 1, ""),
        ({"posts": 10, "runs": None, "orders": [5]}, 1, ""),
        ({"posts": "10", "runs": "0", "orders": [5]}, 1, ""),
        ({"posts": "5", "posts_done": "3"}, 3, ""),
        ({"posts": "5", "posts_done": 3, "orders": [5]}, 3, ""),
        ({"posts": "5", "posts_done": "many", "orders": [5]}, 1, ""),
        ({"posts": "5", "posts_done": -1}, None, ""),
        ({"posts": "5", "posts_done": 2**31}, None, ""),
        ({"posts": "5", "orders": "5,6"}, None, ""),
        ({"posts": "5", "expiry": 1893456000}, None, "1893456000"),
        ({"posts": "5", "expiry": ["soon"]}, None, ""),
        ({"posts": "5", "expiry": "x" * 300}, None, "x" * 100),
        ({"posts": "5", "expiry": "a\nb"}, None, r"a\nb"),
        ({"runs": "5", "orders": [1, 2]}, None, ""),
        ({"runs": 5, "posts": None, "expiry": None, "orders": [1, 2]}, None, ""),
        ({"orders": [1, 2]}, None, ""),
        ({"charge": "1"}, None, ""),
    ],
)
def test_posts_are_counted_for_subscriptions_and_for_nothing_else(
    row: dict[str, Any], posts_done: int | None, expiry: str
) -> None:
    report = statuses(json.dumps({"7": {"status": "Active", **row}}), "7")["7"]
    assert isinstance(report, Report)
    assert (report.posts_done, report.expiry) == (posts_done, expiry)


@pytest.mark.parametrize("body", ["[]", "{}"])
def test_an_empty_map_says_nothing_about_anybody(body: str) -> None:
    assert statuses(body, "1", "2") == {}


@pytest.mark.parametrize(
    "body",
    [
        '{"error":"Incorrect order ID"}',
        '{"status":"error","message":"Order not found"}',
        '{"status":"Completed","remains":"0"}',
        '{"99":{"status":"Completed"}}',
        '{"error":"Not enough funds"}',
        '[{"status":"Completed"}]',
        '"Completed"',
        "1",
    ],
)
def test_an_answer_about_the_whole_call_says_nothing_about_its_orders(body: str) -> None:
    with pytest.raises(TemporaryFailure):
        statuses(body, "1")


# services


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("classic-large", 2500),
        ("classic-small", 300),
        ("flags-as-text", 5),
        ("numeric-rates", 68),
        ("no-limits", 24),
        ("no-flags", 4),
    ],
)
def test_real_catalogues_are_read_to_the_last_row(name: str, rows: int) -> None:
    raw = (CATALOGUES / f"{name}.json").read_bytes()
    found = services(raw, headers={"Content-Type": "text/html"})
    original = json.loads(raw, parse_float=Decimal)
    assert len(found) == rows
    assert [service.service for service in found] == [row["service"] for row in original]
    assert [service.rate for service in found] == [Decimal(row["rate"]) for row in original]
    assert {service.type for service in found} <= {
        "Default", "Package", "Custom Comments", "Custom Comments Package", "Mentions", "Mentions with Hashtags",
        "Mentions Custom List", "Mentions Hashtag", "Mentions User Followers", "Mentions Media Likers", "Comment Likes",
        "Comment Replies", "Poll", "Invites from Groups", "SEO", "Web Traffic", "Subscriptions",
    }  # fmt: skip
    assert all(service.name and service.category for service in found)
    if "min" in original[0]:
        assert [service.minimum for service in found] == [int(row["min"]) for row in original]
        assert [service.maximum for service in found] == [int(row["max"]) for row in original]
    else:
        assert {(service.minimum, service.maximum) for service in found} == {(None, None)}


def test_rows_without_a_usable_id_or_rate_are_dropped() -> None:
    body = """[{"service":"1","rate":"0.0001"},{"service":2,"rate":999999999,"name":"<b>A&amp;B\\u0000\\ud800</b>","category":4},
        {"rate":"1"},{"service":null,"rate":"1"},{"service":"x","rate":1},{"service":3},{"service":3,"rate":""},
        {"service":3,"rate":NaN},{"service":3,"rate":1e-5},{"service":3,"rate":-1},{"service":3,"rate":true},
        {"service":3,"rate":"9999999999999999"},null,5,"row",[],{},{"service":"1","rate":"7"}]"""
    first, second = services(body)
    assert (first.service, first.rate, first.type, first.minimum, first.refill) == (
        "1",
        Decimal("0.0001"),
        "Default",
        None,
        False,
    )
    assert (second.service, second.rate, second.name, second.category) == (
        "2",
        Decimal(999999999),
        "<b>A&amp;B</b>",
        "4",
    )


@pytest.mark.parametrize(
    ("sent", "ours"),
    [
        ("Custom Comments", "Custom Comments"),
        ("custom_comments", "Custom Comments"),
        ("custom-comments-package", "Custom Comments Package"),
        ("MENTIONS_WITH_HASHTAGS", "Mentions with Hashtags"),
        ("invites from groups", "Invites from Groups"),
        ("seo", "SEO"),
        ("", "Default"),
        (None, "Default"),
        ("Telegram Magic", "Telegram Magic"),
    ],
)
def test_types_are_spelt_as_ours_where_they_are_ours(sent: str | None, ours: str) -> None:
    assert services(json.dumps([{"service": 1, "rate": 1, "type": sent}]))[0].type == ours


@pytest.mark.parametrize(
    ("sent", "on"),
    [(True, True), (False, False), ("1", True), ("0", False), (1, True), (0, False), ("true", True), ("False", False),
     (None, False), ("", False), ([], False), ({}, False), (2, False)],
)  # fmt: skip
def test_flags_are_on_only_when_they_say_so(sent: object, on: bool) -> None:  # noqa: FBT001
    (row,) = services(
        json.dumps([{"service": 1, "rate": 1, "dripfeed": sent, "refill": sent, "cancel": sent}])
    )
    assert (row.dripfeed, row.refill, row.cancel) == (on, on, on)


def test_odd_limits_are_passed_on_and_unreadable_ones_are_absent() -> None:
    body = '[{"service":1,"rate":1,"min":"500","max":100},{"service":2,"rate":1,"min":-1,"max":"many"}]'
    assert [(row.minimum, row.maximum) for row in services(body)] == [(500, 100), (None, None)]


def test_descriptions_have_two_names_and_long_names_end_somewhere() -> None:
    body = json.dumps(
        [
            {"service": 1, "rate": 1, "name": "n" * 9999, "desc": "d"},
            {"service": 2, "rate": 1, "description": "e"},
        ]
    )
    first, second = services(body)
    assert (len(first.name), first.description, second.description) == (500, "d", "e")


@pytest.mark.parametrize(
    "body", ['{"error":"maintenance"}', '{"services":[]}', "", "<html>", '"x"', "[" * 99_999, "5"]
)
def test_what_is_not_a_list_is_not_a_catalogue(body: str) -> None:
    with pytest.raises(TemporaryFailure):
        services(body)


def test_an_empty_catalogue_is_returned_as_it_is() -> None:
    assert services("[]") == []


# balance


@pytest.mark.parametrize(
    ("body", "amount", "currency"),
    [
        ('{"balance":"100.84292","currency":"USD"}', "100.84292", "USD"),
        ('{"balance":0.1,"currency":"eur"}', "0.1", "EUR"),
        ('{"status":"success","balance":"12.3456789"}', "12.3456789", ""),
        ('{"balance":"-3.50","currency":"<b>"}', "-3.50", ""),
        ('{"balance":7,"currency":null}', "7", ""),
    ],
)
def test_a_balance_is_exactly_what_it_says(body: str, amount: str, currency: str) -> None:
    assert balance(body) == UpstreamBalance(amount=Decimal(amount), currency=currency)


@pytest.mark.parametrize(
    "body", ['{"balance":NaN}', '{"balance":"1e3"}', '{"balance":null}', "{}", "[]", "12.5", ""]
)
def test_an_unreadable_balance_is_a_failure(body: str) -> None:
    with pytest.raises(TemporaryFailure):
        balance(body)


# Every question


@pytest.mark.parametrize("question", EVERY_QUESTION)
@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (200, '{"error":"Invalid API key"}', PermanentFailure),
        (200, '{"status":"error","message":"API is disable for this user"}', PermanentFailure),
        (403, '{"error":"Incorrect API key"}', PermanentFailure),
        (500, '{"error":"Invalid API key"}', TemporaryFailure),
        (200, '{"error":"Too many requests"}', TemporaryFailure),
        (200, "<html>Log in</html>", TemporaryFailure),
        (302, '{"balance":"1"}', TemporaryFailure),
        (403, "<html>Forbidden</html>", TemporaryFailure),
        (429, "", TemporaryFailure),
        (404, '{"1":{"status":"Completed"}}', TemporaryFailure),
        (502, "[]", TemporaryFailure),
    ],
)
def test_an_error_about_the_call_is_a_failure(
    question: Question, status: int, body: str, failure: type[Exception]
) -> None:
    with pytest.raises(failure):
        ask(question, body, status=status)


@pytest.mark.parametrize("question", EVERY_QUESTION)
def test_a_question_that_gets_no_answer_is_a_failure(question: Question) -> None:
    with refusing_port() as url, pytest.raises(TemporaryFailure):
        ask_at(url, question)
    with pytest.raises(PermanentFailure):
        ask_at("http://127.0.0.1/", question, policy=PUBLIC_HTTPS)


def test_a_dialect_nobody_speaks_is_a_permanent_failure() -> None:
    with pytest.raises(PermanentFailure, match="carrier_pigeon"):
        ask(adding, "", dialect=Dialect(name="carrier_pigeon"))
