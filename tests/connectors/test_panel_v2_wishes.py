"""Cancels, refills and their states: tables of what providers answer."""

import asyncio
import json
from typing import Any

import pytest
from upstreams import KEY, answering, ask, client, provider

from panelry.connectors.panel_v2.errors import CANCEL_ASKED, PASSING, REFILL_OPEN
from panelry.connectors.panel_v2.words import plain
from panelry.connectors.registry import connect
from panelry.domain.providers import (
    CancelAnswer,
    CancelAsked,
    CancelRefused,
    Delay,
    Dialect,
    RefillAnswer,
    RefillOpen,
    RefillRefused,
    RefillReport,
    RefillState,
    RefillTaken,
    Rejection,
    RowError,
)
from panelry.domain.refusals import PermanentFailure, TemporaryFailure

ASKED = CancelAsked()
ORD = "ord_01JBD6ZK3V8QW5X9T2Y4R7N0CM"


def no(text: str) -> CancelRefused:
    return CancelRefused(text=text)


def cancel(body: str, *ids: str, **more: Any) -> dict[str, CancelAnswer]:
    return ask(lambda connector: connector.cancel(ids), body, **more)


def refill(body: str, **more: Any) -> RefillAnswer:
    return ask(lambda connector: connector.refill("55"), body, **more)


def refill_status(body: str, **more: Any) -> RefillReport | RowError:
    return ask(lambda connector: connector.refill_status("9"), body, **more)


def test_wishes_are_forms_too() -> None:
    async def call() -> None:
        async with answering("[]") as upstream, client() as http:
            connector = connect(provider(upstream.url), http)
            assert await connector.cancel(["1", "2"]) == {}
            for question in (connector.refill("1"), connector.refill_status("9")):
                with pytest.raises(TemporaryFailure):
                    await question
        assert upstream.forms == [
            {"key": KEY, "action": "cancel", "orders": "1,2"},
            {"key": KEY, "action": "refill", "order": "1"},
            {"key": KEY, "action": "refill_status", "refill": "9"},
        ]

    asyncio.run(call())


# Cancel


@pytest.mark.parametrize(
    ("body", "answers"),
    [
        ('[{"order":2,"cancel":1},{"order":"3","cancel":"1"}]', {"2": ASKED, "3": ASKED}),
        ('[{"order":2,"cancel":{"error":"Incorrect order ID"}}]', {"2": no("Incorrect order ID")}),
        ('[{"order":2,"error":"Order cannot be cancelled"},{"order":3,"cancel":true}]',
         {"2": no("Order cannot be cancelled"), "3": ASKED}),
        ('[{"order":2,"status":"error","message":"Too late"}]', {"2": no("Too late")}),
        ('[{"order":2,"status":"success"},{"order":3,"status":"fail"}]', {"2": ASKED, "3": no("status: error")}),
        ('[{"order":2,"cancel":"Cancel is disabled"}]', {"2": no("Cancel is disabled")}),
        ('[{"order":2,"cancel":0},{"order":3,"cancel":false}]', {"2": no("cancel: 0"), "3": no("cancel: false")}),
        ('[{"order":2,"cancel":777}]', {"2": ASKED}),
        ('[{"order":2,"cancel":null},{"order":3,"cancel":[]}]', {}),
        ('[{"order":2,"cancel":1},{"order":2,"cancel":0}]', {"2": ASKED}),
        ('[{"order":2,"cancel":1},{"order":99,"cancel":1},{"order":null,"cancel":1},{"cancel":1},7,null,"x"]', {"2": ASKED}),
        ('{"2":{"cancel":1},"3":{"error":"Order not found"},"99":{"cancel":1}}', {"2": ASKED, "3": no("Order not found")}),
        ('{"2":1,"3":"Order not found"}', {"2": ASKED, "3": no("Order not found")}),
        ('{"3":{"cancel":{"error":{"text":"No"}}}}', {"3": no("No")}),
        ('[{"order":2,"error":"Order is already cancelled"},{"order":3,"cancel":{"error":"cancel.already_requested"}}]',
         {"2": ASKED, "3": ASKED}),
        ('[{"order":2,"error":"Too many requests"},{"order":3,"error":"Internal error"}]', {}),
        ("[]", {}),
        ("{}", {}),
    ],
)  # fmt: skip
def test_each_order_of_a_cancel_has_its_own_answer(body: str, answers: dict[str, CancelAnswer]) -> None:
    assert cancel(body, "2", "3") == answers


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ('{"cancel":1}', ASKED),
        ('{"cancel":"1"}', ASKED),
        ('{"cancel":true}', ASKED),
        ('{"cancel":"success"}', ASKED),
        (f'{{"cancel":"{ORD}"}}', ASKED),
        ('{"order":"2","cancel":1}', ASKED),
        ('{"status":"Success"}', ASKED),
        ('{"status":"success","message":"Cancel request has been sent"}', ASKED),
        ('{"success":true}', ASKED),
        ('{"success":"Your request was sent"}', ASKED),
        ('{"success":1,"cancel":0}', ASKED),
        ('[{"cancel":1}]', ASKED),
        ('{"error":"Cancellation already requested"}', ASKED),
        ('{"error":"Order is already canceled."}', ASKED),
        ('{"error":"Заказ уже отменён"}', ASKED),
        ('{"error":"Incorrect order ID"}', no("Incorrect order ID")),
        ('{"errors":["Order","not found"]}', no("Order; not found")),
        ('{"status":"error"}', no("status: error")),
        ('{"success":false,"msg":"No"}', no("No")),
        ('"Order cannot be cancelled"', no("Order cannot be cancelled")),
        ('{"cancel":{"error":"Order already completed"}}', no("Order already completed")),
    ],
)
def test_an_answer_to_a_single_cancel_is_about_that_order(body: str, answer: CancelAnswer) -> None:
    assert cancel(body, "2") == {"2": answer}


def test_our_own_dialect_answers_cancels() -> None:
    dialect = Dialect(name="panelry", supports_request_id=True)
    body = json.dumps([{"order": ORD, "cancel": ORD}, {"order": "ord_2", "error": "Order not found"}])
    assert cancel(body, ORD, "ord_2", dialect=dialect) == {ORD: ASKED, "ord_2": no("Order not found")}
    refused = '{"error":"Order cannot be cancelled"}'
    assert cancel(refused, ORD, dialect=dialect, status=400) == {ORD: no("Order cannot be cancelled")}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '{"error":"Incorrect order ID"}'),
        (400, '{"error":"Maximum 100 orders per request"}'),
        (200, '{"cancel":1}'),
        (200, '{"status":"success"}'),
        (200, '{"order":99,"cancel":1}'),
        (200, '[{"cancel":1},{"cancel":1}]'),
        (200, '[{"order":99,"cancel":1}]'),
        (200, "1"),
        (200, '"2"'),
    ],
)
def test_an_answer_about_no_order_of_several_decides_none(status: int, body: str) -> None:
    with pytest.raises(TemporaryFailure):
        cancel(body, "2", "3", status=status)


def test_a_key_that_one_row_refuses_is_no_answer_about_orders() -> None:
    with pytest.raises(PermanentFailure):
        cancel('[{"order":2,"cancel":1},{"order":3,"cancel":{"error":"Invalid API key"}}]', "2", "3")


# Refill


@pytest.mark.parametrize(
    ("body", "upstream_id"),
    [
        ('{"refill":"1"}', "1"),
        ('{"refill":1}', "1"),
        ('{"refill":1.0}', "1"),
        ('{"refill":"ref_01JBD6ZK3V8QW5X9T2Y4R7N0CM"}', "ref_01JBD6ZK3V8QW5X9T2Y4R7N0CM"),
        ('{"refill_id":"77"}', "77"),
        ('{"refill":"12","success":"Refill was created"}', "12"),
        ('{"status":"Success","refill":12}', "12"),
        ('{"order":55,"refill":12}', "12"),
        ('[{"order":55,"refill":12}]', "12"),
        ('[{"refill":"12"}]', "12"),
        ('{"55":{"refill":12}}', "12"),
        ('{"status":"Success"}', None),
        ('{"status":"success","message":"Refill request sent"}', None),
        ('{"success":true}', None),
        ('{"success":1}', None),
        ('{"success":"Refill was requested"}', None),
        ('{"refill":true}', None),
        ('{"refill":"success"}', None),
        ('{"status":"success","refill":"Your refill is on its way"}', None),
    ],
)
def test_a_refill_is_taken_with_or_without_a_name(body: str, upstream_id: str | None) -> None:
    assert refill(body) == RefillTaken(upstream_id=upstream_id)


OPEN = [
    "A refill is already pending",
    "Refill already requested!",
    "This order has already been sent for refill",
    "The refill task is not completed for this order",
    "refill.error.already_requested",
    "Refill is already in progress",
    "Refill in progress",
    "You already have a pending refill for this order",
    "La recarga ya fue solicitada",
    "Já existe uma reposição para este pedido",
    "Рефилл уже создан",
    "Bu sipariş için telafi talebi zaten var",
]
REFUSED = [
    "Order is not eligible for refill",
    "Refill is not available for this service",
    "Refill is disabled for this service",
    "Refill period has expired",
    "Refill limit reached",
    "Refill limit already reached",
    "Order already refilled",
    "Order is already in progress",
    "Order in progress",
    "There is no active refill guarantee",
    "Incorrect order ID",
    "Order not found",
    "Not enough funds on balance",
]


@pytest.mark.parametrize("text", OPEN)
def test_a_refill_that_is_under_way_is_no_refusal(text: str) -> None:
    for body, status in (
        ({"error": text}, 200),
        ({"error": text}, 400),
        ({"refill": {"error": text}}, 200),
        ({"refill": text}, 200),
        ([{"order": 55, "refill": {"error": text}}], 200),
    ):
        assert refill(json.dumps(body), status=status) == RefillOpen(text=text)


@pytest.mark.parametrize("text", REFUSED)
def test_any_other_decisive_error_refuses_a_refill(text: str) -> None:
    for body, status in (
        ({"error": text}, 200),
        ({"error": text}, 400),
        ({"refill": {"error": text}}, 200),
        ({"order": 55, "error": text}, 200),
        ({"status": "error", "message": text}, 200),
        ({"success": False, "msg": text, "refill": 0}, 200),
        ([{"order": 55, "refill": {"error": text}}], 200),
        ([{"order": "55", "error": text}], 200),
        (text, 200),
    ):
        assert refill(json.dumps(body), status=status) == RefillRefused(text=text)


@pytest.mark.parametrize(
    ("body", "text"), [('{"refill":0}', "refill: 0"), ('{"refill":false}', "refill: false")]
)
def test_a_refill_that_is_off_is_refused(body: str, text: str) -> None:
    assert refill(body) == RefillRefused(text=text)


@pytest.mark.parametrize("body", ['{"refill":null}', '{"refill":[]}', '{"order":99,"refill":1}', "[]", "{}"])
def test_what_is_neither_a_yes_nor_a_no_to_a_refill_is_a_failure(body: str) -> None:
    with pytest.raises(TemporaryFailure):
        refill(body)


# The status of a refill


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Pending", RefillState.PENDING),
        ("Awaiting", RefillState.PENDING),
        ("Processing", RefillState.IN_PROGRESS),
        ("In progress", RefillState.IN_PROGRESS),
        ("in_progress", RefillState.IN_PROGRESS),
        ("Completed", RefillState.COMPLETED),
        ("Processed", RefillState.COMPLETED),
        ("Rejected", RefillState.REJECTED),
        ("Failed", RefillState.REJECTED),
        ("Error", RefillState.REJECTED),
        ("Canceled", RefillState.REJECTED),
        ("cancelled", RefillState.REJECTED),
        ("Meditating", None),
        ("5", None),
    ],
)
def test_the_words_of_refills_are_understood_in_every_wrapping(word: str, state: RefillState | None) -> None:
    report = RefillReport(state=state, word=word)
    for body in (
        {"status": word},
        {"refill": 9, "status": word},
        [{"refill": "9", "status": word}],
        [{"status": word}],
        [{"refill": 8, "status": "Completed"}, {"refill": 9, "status": word}],
        {"9": {"status": word}, "8": {"status": "Completed"}},
    ):
        assert refill_status(json.dumps(body)) == report


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '{"error":"Refill not found"}'),
        (400, '{"error":"Refill not found"}'),
        (200, '{"status":"error","message":"Refill not found"}'),
        (200, '{"refill":9,"status":{"error":"Refill not found"}}'),
        (200, '[{"refill":9,"status":{"error":"Refill not found"}}]'),
        (200, '[{"refill":9,"error":"Refill not found"}]'),
        (200, '{"9":{"error":"Refill not found"}}'),
        (200, '{"9":"Refill not found"}'),
        (200, '"Refill not found"'),
    ],
)
def test_a_refill_that_is_not_known_there_is_an_error_of_its_row(status: int, body: str) -> None:
    assert refill_status(body, status=status) == RowError(text="Refill not found")


def test_a_word_alone_may_be_the_row_of_a_map() -> None:
    assert refill_status('{"9":"Completed"}') == RefillReport(state=RefillState.COMPLETED, word="Completed")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "[]"), (200, "{}"), (200, '{"status":null}'), (200, '{"status":""}'), (200, '{"status":[]}'),
        (200, '[{"refill":8,"status":"Completed"}]'), (200, '{"refill":8,"status":"Completed"}'), (200, "5"),
        (400, '{"status":"Completed"}'), (403, '{"status":"error"}'),
    ],
)  # fmt: skip
def test_what_says_nothing_about_the_refill_is_a_failure(status: int, body: str) -> None:
    with pytest.raises(TemporaryFailure):
        refill_status(body, status=status)


# All of them


WISHES = [lambda c: c.cancel(["55"]), lambda c: c.refill("55"), lambda c: c.refill_status("55")]


@pytest.mark.parametrize("question", WISHES)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "null"), (200, "true"), (200, "12345"), (200, '{"error'),
        (200, '{"error":"Service temporarily unavailable"}'), (200, '{"error":"Internal server error"}'),
        (429, '{"error":"Order not found"}'), (429, '{"refill":1,"cancel":1,"status":"Completed"}'),
        (500, '{"error":"Order not found"}'), (502, '{"refill":1,"cancel":1,"status":"Completed"}'),
        (302, '{"refill":1,"cancel":1,"status":"Completed"}'), (400, '{"refill":1,"cancel":1,"status":"Completed"}'),
        (403, '{"status":"error"}'),
    ],
)  # fmt: skip
def test_what_decides_nothing_is_a_failure(question: Any, status: int, body: str) -> None:
    with pytest.raises(TemporaryFailure):
        ask(question, body, status=status)


@pytest.mark.parametrize("question", WISHES)
def test_a_providers_own_error_table_counts_for_wishes(question: Any) -> None:
    dialect = Dialect(errors={"слишком": Delay.RATE, "заблокирован": Rejection.KEY})
    with pytest.raises(TemporaryFailure):
        ask(question, '{"error":"Слишком часто"}', dialect=dialect)
    with pytest.raises(PermanentFailure):
        ask(question, '{"error":"Ключ заблокирован"}', dialect=dialect)


@pytest.mark.parametrize("table", [CANCEL_ASKED, REFILL_OPEN, PASSING])
def test_the_tables_are_written_as_they_are_compared(table: tuple[str, ...]) -> None:
    assert [plain(part) for part in table] == list(table)
    assert len(set(table)) == len(table)
