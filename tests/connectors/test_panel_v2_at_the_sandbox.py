"""The connector and the sandbox provider, which know nothing of each other, over real HTTP in both dialects."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sandboxes import Upstream, running, until
from upstreams import client, provider

from panelry.connectors.registry import connect
from panelry.domain.providers import (
    Accepted,
    CancelAsked,
    CancelRefused,
    Connector,
    Dialect,
    RefillAnswer,
    RefillOpen,
    RefillRefused,
    RefillReport,
    RefillState,
    RefillTaken,
    Rejected,
    Report,
    RowError,
    UpstreamOrder,
    UpstreamState,
)
from panelry.domain.refusals import PermanentFailure, TemporaryFailure

S = UpstreamState


@dataclass(kw_only=True)
class Panel:
    """A sandbox as the connector sees it; each call is one of a connector of its own."""

    sandbox: Upstream
    dialect: Dialect
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**6)))

    def connector(self, http: Any, key: str = "secret") -> Connector:
        return connect(provider(self.sandbox.url, dialect=self.dialect, key=key), http)

    def ask(self, question: Any, *, key: str = "secret") -> Any:
        async def call() -> Any:
            async with client(total=0.7) as http:
                asked: Coroutine[Any, Any, Any] = question(self.connector(http, key))
                return await asked

        return asyncio.run(call())

    def add(self, service: int, fault: str = "", **parameters: str) -> str:
        given = parameters or {"link": self.sandbox.new_link(fault), "quantity": "100"}
        order = UpstreamOrder(
            service=str(service), request_id=f"request-{next(self.numbers)}", parameters=given
        )
        outcome = self.ask(lambda connector: connector.add(order))
        assert isinstance(outcome, Accepted), outcome
        return outcome.upstream_id

    def status(self, order: str) -> Report:
        report = self.ask(lambda connector: connector.statuses([order]))[order]
        assert isinstance(report, Report)
        return report

    def until(self, order: str, state: UpstreamState, remains: int | None = None) -> None:
        until(lambda: self.status(order).state is state and remains in {None, self.status(order).remains})

    def refill(self, order: str) -> RefillAnswer:
        answer: RefillAnswer = self.ask(lambda connector: connector.refill(order))
        return answer

    def refill_state(self, refill: str) -> RefillState | None:
        report = self.ask(lambda connector: connector.refill_status(refill))
        assert isinstance(report, RefillReport)
        return report.state

    def cancel(self, *orders: str) -> Any:
        return self.ask(lambda connector: connector.cancel(orders))


@pytest.fixture(scope="module", params=["classic", "panelry"])
def panel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    is_ours = request.param == "panelry"
    dialect = Dialect(name="panelry" if is_ours else "panel_v2", supports_request_id=is_ours)
    with running(tmp_path_factory.mktemp("log") / "log", speed=20, dialect=request.param) as sandbox:
        yield Panel(sandbox=sandbox, dialect=dialect)


UNKNOWN = {"classic": "999999999", "panelry": "ord_01JBD6ZK3V8QW5X9T2Y4R7N0CM"}


def unknown_id(panel: Panel) -> str:
    return UNKNOWN["panelry" if panel.dialect.supports_request_id else "classic"]


def test_a_cancel_of_several_is_answered_for_each_and_its_outcome_comes_later(panel: Panel) -> None:
    waiting, begun, refusing, without = panel.add(11), panel.add(2), panel.add(12), panel.add(15)
    strange = unknown_id(panel)
    until(lambda: (panel.status(begun).remains or 0) < 100)
    answers = panel.cancel(waiting, begun, refusing, without, strange)
    assert answers.keys() == {waiting, begun, refusing, without, strange}
    assert answers[waiting] == answers[begun] == CancelAsked()
    assert answers[refusing] == answers[without] == CancelRefused(text="Order cannot be cancelled")
    assert isinstance(answers[strange], CancelRefused)
    panel.until(waiting, S.CANCELLED, remains=100)
    panel.until(begun, S.PARTIAL)
    assert panel.cancel(waiting) == {waiting: CancelAsked()}


def test_one_order_that_cannot_be_cancelled_is_refused_by_itself(panel: Panel) -> None:
    done = panel.add(1)
    panel.until(done, S.COMPLETED)
    assert panel.cancel(done) == {done: CancelRefused(text="Order cannot be cancelled")}


def test_a_hundred_cancels_are_one_call(panel: Panel) -> None:
    orders = [panel.add(11) for _ in range(100)]
    assert panel.cancel(*orders) == dict.fromkeys(orders, CancelAsked())


@pytest.mark.parametrize("fault", ["cancel_reset", "cancel_silent", "cancel_bad_gateway"])
def test_a_cancel_whose_answer_is_lost_can_be_asked_again(panel: Panel, fault: str) -> None:
    order = panel.add(2, fault)
    with pytest.raises(TemporaryFailure):
        panel.cancel(order)
    assert panel.cancel(order) == {order: CancelAsked()}
    assert [line["order"] for line in panel.sandbox.lines() if "cancel" in line].count(shown(order)) == 1


def shown(order: str) -> int | str:
    return int(order) if order.isdecimal() else order


@pytest.mark.parametrize("fault", ["other_ids", "missing_ids"])
def test_a_batch_about_others_decides_nothing_about_ours(panel: Panel, fault: str) -> None:
    orders = [panel.add(11) for _ in range(2)]
    for action, question in (
        ("cancel", lambda connector: connector.cancel(orders)),
        ("status", lambda connector: connector.statuses(orders)),
    ):
        panel.sandbox.faults(next={"action": action, "fault": fault})
        if fault == "other_ids":
            with pytest.raises(TemporaryFailure):
                panel.ask(question)
        else:
            assert panel.ask(question).keys() == {orders[1]}


def test_a_drop_is_refilled(panel: Panel) -> None:
    order = panel.add(10)
    panel.until(order, S.COMPLETED, remains=20)
    taken = panel.refill(order)
    assert isinstance(taken, RefillTaken)
    assert taken.upstream_id is not None
    assert panel.refill_state(taken.upstream_id) is RefillState.IN_PROGRESS
    assert panel.refill(order) == RefillOpen(text="A refill is already pending")
    until(lambda: panel.refill_state(taken.upstream_id or "") is RefillState.COMPLETED)
    assert panel.status(order).remains == 0


@pytest.mark.parametrize(
    ("service", "fault", "text"),
    [
        (11, "", "Order is not eligible for refill"),
        (1, "refuses_refill", "Order is not eligible for refill"),
        (15, "", "Refill is not available for this service"),
    ],
)
def test_a_refill_that_a_provider_refuses_is_refused(
    panel: Panel, service: int, fault: str, text: str
) -> None:
    assert panel.refill(panel.add(service, fault)) == RefillRefused(text=text)


def test_nobody_refills_an_order_or_knows_a_refill_that_never_was(panel: Panel) -> None:
    assert isinstance(panel.refill(unknown_id(panel)), RefillRefused)
    answer = panel.ask(lambda connector: connector.refill_status(unknown_id(panel)))
    assert answer == RowError(text="Refill not found")


@pytest.mark.parametrize(
    ("fault", "state"),
    [("rejects_refill", RefillState.REJECTED), ("refill_pending", RefillState.PENDING)],
)
def test_a_refill_that_is_taken_may_come_to_nothing(panel: Panel, fault: str, state: RefillState) -> None:
    order = panel.add(1, fault)
    panel.until(order, S.COMPLETED, remains=20)
    taken = panel.refill(order)
    assert isinstance(taken, RefillTaken)
    until(lambda: panel.refill_state(taken.upstream_id or "") is state)
    assert panel.status(order).remains == 20


@pytest.mark.parametrize("fault", ["refill_reset", "refill_bad_gateway"])
def test_a_refill_whose_answer_is_lost_is_open_when_asked_again(panel: Panel, fault: str) -> None:
    order = panel.add(1, fault)
    panel.until(order, S.COMPLETED, remains=20)
    with pytest.raises(TemporaryFailure):
        panel.refill(order)
    assert isinstance(panel.refill(order), RefillOpen)
    panel.until(order, S.COMPLETED, remains=0)


def test_a_refill_without_an_id_is_taken(panel: Panel) -> None:
    order = panel.add(1, "refill_no_id")
    panel.until(order, S.COMPLETED, remains=20)
    assert panel.refill(order) == RefillTaken(upstream_id=None)


def test_a_wrong_key_is_told_for_every_wish(panel: Panel) -> None:
    for question in (
        lambda connector: connector.cancel(["1"]),
        lambda connector: connector.refill("1"),
        lambda connector: connector.refill_status("1"),
    ):
        with pytest.raises(PermanentFailure):
            panel.ask(question, key="wrong")


@pytest.mark.parametrize("fault", ["silent", "reset", "bad_gateway", "login_page", "too_many_requests", "truncated",
    "cut_short", "slow_drip", "lost_reset", "lost_bad_gateway"])  # fmt: skip
@pytest.mark.parametrize("action", ["cancel", "refill", "refill_status", "status", "balance", "services"])
def test_no_fault_of_the_wire_decides_anything(panel: Panel, action: str, fault: str) -> None:
    order = panel.add(11)
    questions = {
        "cancel": lambda connector: connector.cancel([order]),
        "refill": lambda connector: connector.refill(order),
        "refill_status": lambda connector: connector.refill_status("1"),
        "status": lambda connector: connector.statuses([order]),
        "balance": lambda connector: connector.balance(),
        "services": lambda connector: connector.services(),
    }
    panel.sandbox.faults(next={"action": action, "fault": fault})
    with pytest.raises(TemporaryFailure):
        panel.ask(questions[action])


@pytest.mark.parametrize(
    ("choice", "state", "posts_done"),
    [
        ("subscription", {S.COMPLETED}, 4),
        ("stays_paused", {S.PAUSED, S.IN_PROGRESS}, 2),
        ("expires", {S.EXPIRED, S.PARTIAL}, 2),
        ("ends_early", {S.COMPLETED}, 2),
    ],
)
def test_posts_pause_and_expiry_of_a_subscription_are_read(
    panel: Panel, choice: str, state: set[UpstreamState], posts_done: int
) -> None:
    call = {"min": "10", "max": "20", "delay": "0", "posts": "4", "expiry": "1/2/2030"}
    order = panel.add(36, username=f"sandbox={choice}", **call)
    until(lambda: panel.status(order).state in state and panel.status(order).posts_done == posts_done)
    report = panel.status(order)
    classic = not panel.dialect.supports_request_id
    assert report.expiry == ("1/2/2030" if classic else "")
    words = {"stays_paused": "Paused", "expires": "Expired"} if classic else {}
    assert report.word == words.get(choice, report.word)


def test_a_subscription_that_is_cancelled_keeps_its_posts(panel: Panel) -> None:
    order = panel.add(36, username="sandbox=stays_paused", min="10", max="20", delay="0", posts="4")
    until(lambda: panel.status(order).posts_done == 2)
    assert panel.cancel(order) == {order: CancelAsked()}
    panel.until(order, S.CANCELLED)
    assert panel.status(order).posts_done == 2


def test_an_order_that_is_no_subscription_has_no_posts(panel: Panel) -> None:
    plain, drip = panel.add(1), panel.add(1, "drip_feed")
    for order in (plain, drip):
        panel.until(order, S.COMPLETED)
        report = panel.status(order)
        assert (report.posts_done, report.expiry) == (None, "")


def test_a_disguised_yes_is_a_yes_and_a_refusal_buys_nothing(panel: Panel) -> None:
    assert panel.status(panel.add(1, "disguised")).state in {S.IN_PROGRESS, S.PENDING, S.COMPLETED}
    link = panel.sandbox.new_link("refuses_quantity")
    order = UpstreamOrder(service="1", request_id="no", parameters={"link": link, "quantity": "100"})
    assert isinstance(panel.ask(lambda connector: connector.add(order)), Rejected)
