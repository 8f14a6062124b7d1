"""What the sandbox provider does when it is asked for cancels and refills, and with subscriptions, over real HTTP."""

import json
from collections.abc import Iterator

import pytest
from sandboxes import Upstream, running, until


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    with running(tmp_path_factory.mktemp("classic") / "log", speed=20) as started:
        yield started


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    """Half as fast again as life: slow enough to see each word."""
    with running(tmp_path_factory.mktemp("slow") / "log", speed=1.5) as started:
        yield started


@pytest.mark.parametrize(("fault", "done"), [("reset", True), ("lost_reset", False)])
@pytest.mark.parametrize("action", ["cancel", "refill"])
def test_a_wish_can_be_lost_before_or_after_it_was_granted(
    upstream: Upstream, action: str, fault: str, *, done: bool
) -> None:
    order = upstream.add(11 if action == "cancel" else 1)
    until(lambda: action == "cancel" or upstream.word(order) == "Completed")
    before = len(upstream.lines())
    upstream.faults(next={"action": action, "fault": fault})
    with pytest.raises(ConnectionResetError):
        upstream.call(action, order=order)
    assert [line["order"] for line in upstream.lines()[before:] if action in line] == [order] * done


@pytest.mark.parametrize("fault", ["cancel_reset", "cancel_silent", "cancel_bad_gateway"])
def test_a_link_chooses_how_the_first_grant_of_a_cancel_is_lost(upstream: Upstream, fault: str) -> None:
    order, other = upstream.add(2, fault=fault), upstream.add(11)
    body = f"key=secret&action=cancel&orders={other},{order}"
    assert_lost(upstream, fault, body)
    assert [line["order"] for line in upstream.lines()[-2:]] == [other, order]
    assert json.loads(upstream.raw(body)[1]) == [{"order": other, "cancel": 1}, {"order": order, "cancel": 1}]
    until(lambda: upstream.word(order) == "Partial")


@pytest.mark.parametrize("fault", ["refill_reset", "refill_silent", "refill_bad_gateway"])
def test_a_link_chooses_how_the_grant_of_a_refill_is_lost(upstream: Upstream, fault: str) -> None:
    order = upstream.add(1, fault=fault)
    until(lambda: upstream.has_dropped(order))
    body = f"key=secret&action=refill&order={order}"
    assert_lost(upstream, fault, body)
    refill = upstream.lines()[-1]
    assert refill["order"] == order
    again = json.loads(upstream.raw(body)[1])  # once the client has waited long enough, it is a second refill
    assert again == {"error": "A refill is already pending"} or again["refill"] != str(refill["refill"])
    until(lambda: upstream.call("status", order=order)["remains"] == "0")


def assert_lost(upstream: Upstream, fault: str, body: str) -> None:
    if fault.endswith("bad_gateway"):
        assert upstream.raw(body)[0] == 502
        return
    with (
        upstream.asking(body, timeout=0.5) as client,
        pytest.raises(TimeoutError if fault.endswith("silent") else ConnectionResetError),
    ):
        client.recv(1)


def test_a_cancel_that_is_granted_may_come_to_nothing(upstream: Upstream) -> None:
    order = upstream.add(2, fault="ignores_cancel")
    assert upstream.call("cancel", order=order) == {"cancel": 1}
    assert upstream.lines()[-1]["order"] == order
    until(lambda: upstream.word(order) == "Completed")


def test_a_refill_can_be_refused_rejected_and_left_pending(upstream: Upstream) -> None:
    refused, rejected, pending = (
        upstream.add(1, fault=fault) for fault in ("refuses_refill", "rejects_refill", "refill_pending")
    )
    until(lambda: all(map(upstream.has_dropped, (refused, rejected, pending))))
    assert upstream.call("refill", order=refused) == {"error": "Order is not eligible for refill"}
    first = upstream.call("refill", order=rejected)["refill"]
    second = upstream.call("refill", order=pending)["refill"]
    until(lambda: upstream.call("refill_status", refill=first) == {"status": "Rejected"})
    assert upstream.call("refill_status", refill=second) == {"status": "Pending"}
    assert upstream.call("refill", order=pending) == {"error": "A refill is already pending"}
    assert upstream.call("refill", order=rejected)["refill"] not in {first, second}
    assert upstream.call("status", order=rejected)["remains"] == "20"


def test_a_refill_without_an_id_is_still_one(upstream: Upstream) -> None:
    order = upstream.add(1, fault="refill_no_id")
    until(lambda: upstream.has_dropped(order))
    assert upstream.call("refill", order=order) == {"status": "success"}
    until(lambda: upstream.call("status", order=order)["remains"] == "0")


def test_what_a_refill_restored_can_be_lost_again(upstream: Upstream) -> None:
    order = upstream.add(1, fault="drops_again")
    for _ in range(2):
        until(lambda: upstream.has_dropped(order))
        upstream.call("refill", order=order)
        until(lambda: upstream.call("status", order=order)["remains"] == "0")


@pytest.mark.parametrize(
    ("choice", "words", "posts"),
    [
        ("pauses", ["Active", "Paused", "Completed"], 4),
        ("stays_paused", ["Active", "Paused", "Canceled"], 2),
        ("expires", ["Active", "Expired"], 2),
        ("ends_early", ["Active", "Completed"], 2),
    ],
)
@pytest.mark.parametrize("username", ["sandbox={}", "bob?sandbox={}"])
def test_a_user_name_chooses_how_a_subscription_goes(
    slow: Upstream, username: str, choice: str, words: list[str], posts: int
) -> None:
    call = {"min": 10, "max": 20, "delay": 0, "posts": 4, "expiry": "1/2/2030"}
    order = slow.call("add", service=36, username=username.format(choice), **call)["order"]
    for word in words:
        if word == "Canceled":
            slow.call("cancel", order=order)
        until(lambda word=word: slow.word(order) == word, seconds=10)  # type: ignore[misc]
    said = slow.call("status", order=order)
    assert (len(said["orders"]), said["posts"], said["expiry"]) == (posts, "4", "1/2/2030")
