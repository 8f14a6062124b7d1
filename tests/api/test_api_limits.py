"""What a caller meets at its limits: who is denied, what it costs, and what the headers tell."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import contract
import pytest
from books import Books, Stored
from doors import Door, Reply, Server, refused, serving

from given import Customer
from panelry import clock, peers
from panelry.api.limits import Limits
from panelry.api.windows import OwnWindows
from panelry.domain import accounts
from panelry.domain.accounts import rules
from panelry.settings import Settings

NEVER_ISSUED = rules.key_from(4711)
EXHAUSTED = (429, "Rate limit exceeded")
MINUTE = 30_000_000
DOCUMENT = (Path(__file__).parents[2] / "docs" / "resellers" / "rate-limits.md").read_text()
EXAMPLE = re.compile(r"^HTTP/1\.1 ([0-9]{3}) .*\n((?:[a-z-]+: .*\n)+)\n(.*)$", re.MULTILINE)
Order = dict[str, str]
Make = Callable[..., Door]


@pytest.fixture
def make(door: Door) -> Iterator[Make]:
    """Limit the door; its clock stands still within a minute until `turn`."""
    former = door.api._limits

    def limited(*, ip: int = 1000, windows: OwnWindows | None = None) -> Door:
        door.api._limits = Limits(windows or OwnWindows(now=lambda: MINUTE), ip_per_minute=ip)
        return door

    yield limited
    door.api._limits = former
    door.address = "192.0.2.1"


@pytest.fixture
def slow(stored: Stored, customer: Customer) -> str:
    """Return a key of the customer that may call 3 times a minute."""
    with stored() as given:
        return accounts.create_key(given.conn, customer.account, per_minute=3).key


def told(reply: Reply) -> dict[str, str]:
    return {
        name.removeprefix("x-ratelimit-"): value
        for name, value in reply.headers.items()
        if name.startswith("x-ratelimit-") and name != "x-ratelimit-reset"
    }


def status_of(door: Door, key: str, times: int = 1) -> list[int]:
    """Ask for orders that nobody has."""
    return [door.post(key=key, action="status", orders="x").status for _ in range(times)]


def small_tier(stored: Stored, customer: Customer, per_minute: int) -> None:
    with stored() as given:
        given.conn.execute(
            "WITH tier AS (INSERT INTO tiers (name, per_minute, position, threshold_micros) "
            "VALUES (gen_random_uuid(), %s, (SELECT max(position) + 1 FROM tiers), 9e18) RETURNING id) "
            "UPDATE accounts SET tier_id = tier.id FROM tier WHERE accounts.id = %s",
            [per_minute, customer.account],
        )


def test_an_address_is_counted_before_anything_else(make: Make, books: Books, order: Order) -> None:
    door = make(ip=6)
    with books.untouched():
        assert door.post(key=NEVER_ISSUED, action="balance").status == 400
        assert door.send(b"{", "application/json").status == 400
        assert door.send(b"", method="GET").status == 405
        assert door.send(b"x" * 1_048_577).status == 413
        assert door.send(b"\xff").status == 400
    assert door.post(order).status == 200
    with books.untouched():
        for reply in (
            door.post(order | {"request_id": "r-2"}),
            door.send(b"", method="GET"),
            door.send(b"\xff"),
        ):
            assert reply.error == EXHAUSTED
            assert told(reply) == {"limit": "6", "remaining": "0", "deniedby": "ip"}
            assert reply.body == refused(*EXHAUSTED)


def test_the_body_of_a_denied_request_is_not_even_read(make: Make) -> None:
    door = make(ip=1)
    door.send(b"")

    async def never() -> Reply | None:
        scope = {"type": "http", "method": "POST", "headers": [], "client": (door.address, 1)}
        return await asyncio.wait_for(door.exchange(scope, []), 1)

    reply = door.run(never())
    assert reply is not None
    assert reply.status == 429


def test_each_address_has_its_own_window_and_an_ipv6_network_has_one(make: Make) -> None:
    door = make(ip=1)
    answers = []
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8::ffff:2",
                    "2001:db8:0:1::1", "2001:db8:0:1:9::", None, None):  # fmt: skip
        door.address = address
        answers.append(door.post().status)
    assert answers == [400, 400, 429, 429, 400, 429, 400, 429, 400, 429]


def test_a_key_has_a_hundred_unless_it_says_otherwise(make: Make, customer: Customer, slow: str) -> None:
    door = make()
    assert status_of(door, slow, 5) == [200, 200, 200, 429, 429]
    assert status_of(door, customer.key, 102) == [200] * 100 + [429] * 2
    reply = door.post(key=slow, action="status", orders="x")
    assert told(reply) == {"limit": "3", "remaining": "0", "deniedby": "key", "tier-remaining": "97"}


def test_all_keys_of_an_account_share_what_its_tier_allows(
    make: Make, stored: Stored, customer: Customer, slow: str
) -> None:
    small_tier(stored, customer, 5)
    door = make()
    assert status_of(door, slow, 4) == [200, 200, 200, 429]
    assert status_of(door, customer.key, 3) == [200, 200, 429]
    reply = door.post(key=customer.key, action="status", orders="x")
    assert told(reply) == {"limit": "5", "remaining": "0", "deniedby": "tier", "tier-remaining": "0"}
    with stored() as given:
        neighbour = given.customer()
    assert status_of(door, neighbour.key) == [200]


def test_the_most_restrictive_window_is_told(
    make: Make, stored: Stored, customer: Customer, slow: str, order: Order
) -> None:
    door = make(ip=4)
    replies = [
        door.post(order),
        door.post(key=slow, action="status", orders="x"),
        door.post(key=slow, action="status", orders="x"),
        door.post(key=slow, action="status", orders="x"),
        door.post(order),
    ]
    assert list(map(told, replies)) == [
        {"limit": "4", "remaining": "3", "tier-remaining": "199"},
        {"limit": "4", "remaining": "2", "tier-remaining": "198"},
        {"limit": "4", "remaining": "1", "tier-remaining": "197"},
        {"limit": "4", "remaining": "0", "tier-remaining": "196"},
        {"limit": "4", "remaining": "0", "deniedby": "ip"},
    ]
    door = make(ip=400)
    assert told(door.post(key=slow, action="status", orders="x")) == {
        "limit": "3",
        "remaining": "2",
        "tier-remaining": "199",
    }


def test_windows_end_with_the_minute_of_the_clock(make: Make, customer: Customer) -> None:
    door = make(ip=1, windows=OwnWindows())
    before = clock.unix_milliseconds() // 1000
    replies = [door.post(key=customer.key, action="balance") for _ in range(3)]
    after = clock.unix_milliseconds() // 1000
    for reply in replies:
        resets_at = int(reply.headers["x-ratelimit-reset"])
        assert resets_at % 60 == 0
        assert before < resets_at <= after + 60
    denied = [reply for reply in replies if reply.status == 429]
    assert denied
    for reply in denied:
        resets_at = int(reply.headers["x-ratelimit-reset"])
        assert resets_at - after <= int(reply.headers["retry-after"]) <= resets_at - before


def test_a_wrong_key_costs_the_address_alone(
    make: Make, stored: Stored, customer: Customer, slow: str
) -> None:
    door = make()
    with stored() as given:
        revoked = accounts.create_key(given.conn, customer.account)
        given.revoke(revoked.key)
    for key in (revoked.key, NEVER_ISSUED, "", slow[:-1]):
        for action in ("balance", "add", "nonsense"):
            reply = door.post(key=key, action=action)
            assert reply.error == (400, "Invalid API key")
            assert told(reply).keys() == {"limit", "remaining"}
            assert told(reply)["limit"] == "1000"
    reply = door.post(key=slow, action="status", orders="x")
    assert told(reply) == {"limit": "3", "remaining": "2", "tier-remaining": "199"}


@pytest.mark.parametrize("calls", [1, 3], ids=["with units left", "exhausted"])
def test_a_revoked_key_tells_nothing_even_where_its_limits_were_known(
    make: Make, stored: Stored, order: Order, slow: str, calls: int
) -> None:
    door = make()
    for number in range(calls):
        assert door.post(order | {"key": slow, "request_id": f"r-{number}"}).status == 200
    with stored() as given:
        given.revoke(slow)
    for changed in ({}, {"link": ""}, {"action": "balance"}):
        reply = door.post(order | {"key": slow, "request_id": "late"} | changed)
        assert reply.error == (400, "Invalid API key")
        assert told(reply).keys() == {"limit", "remaining"}
        assert told(reply)["limit"] == "1000"


def test_a_suspended_account_is_counted_too(make: Make, stored: Stored, order: Order, slow: str) -> None:
    door = make()
    with stored() as given:
        [account] = given.conn.execute(
            "SELECT account_id FROM api_keys WHERE prefix = %s", [slow[:12]]
        ).fetchall()
        accounts.suspend(given.conn, account[0])
    answers = [
        door.post({"key": slow} | fields).status
        for fields in (
            {"action": "balance"},
            order | {"key": slow},
            {"action": "nonsense"},
            {"action": "balance"},
        )
    ]
    assert answers == [403, 403, 403, 429]


def test_limits_come_before_actions_and_parameters(make: Make, order: Order, slow: str) -> None:
    door = make()
    wrong: Sequence[Order] = (
        {},
        {"action": "nonsense"},
        {"action": "add"},
        {"action": "nonsense"},
        {},
        {"action": "add"},
    )
    answers = [door.post({"key": slow} | fields).status for fields in wrong]
    assert answers == [400, 400, 400, 429, 429, 429]


def test_a_call_about_a_hundred_orders_is_one_unit(make: Make, slow: str) -> None:
    door = make()
    orders = ",".join(f"ord_{number:026}" for number in range(100))
    for action, left in (("status", "2"), ("cancel", "1"), ("refill", "0")):
        assert told(door.post(key=slow, action=action, orders=orders))["remaining"] == left


def test_a_balance_from_its_cache_costs_nothing(
    make: Make, stored: Stored, customer: Customer, order: Order, slow: str
) -> None:
    door = make()
    replies = [door.post(key=slow, action="balance") for _ in range(9)]
    assert {reply.status for reply in replies} == {200}
    assert {told(reply)["remaining"] for reply in replies} == {"2"}
    assert status_of(door, slow, 3) == [200, 200, 429]
    assert door.post(key=slow, action="balance").value["balance"] == "100.00"
    assert told(door.post(key=slow, action="balance"))["remaining"] == "0"
    assert door.post(order).status == 200, "which changes the balance"
    assert door.post(key=slow, action="balance").status == 429
    with stored() as given:
        given.revoke(slow)
    assert door.post(key=slow, action="balance").error == (400, "Invalid API key")


def test_a_key_is_looked_up_once_in_a_while_for_orders(make: Make, order: Order) -> None:
    door = make()

    def look_ups() -> float:
        name = "panelry_api_set_size_count"
        return door.api._metrics._registry.get_sample_value(name, {"call": "identify"}) or 0

    door.post(order)
    before = look_ups()
    for number in range(20):
        assert door.post(order | {"request_id": f"again-{number}"}).status == 200
    assert look_ups() == before


def test_limits_that_were_raised_count_at_once(
    make: Make, stored: Stored, customer: Customer, order: Order, slow: str
) -> None:
    door = make()
    answers = [door.post(order | {"key": slow, "request_id": f"{number}"}).status for number in range(4)]
    assert answers == [200, 200, 200, 429]
    with stored() as given:
        given.conn.execute("UPDATE api_keys SET per_minute = 5 WHERE prefix = %s", [slow[:12]])
    answers = [door.post(order | {"key": slow, "request_id": f"more-{number}"}).status for number in range(3)]
    assert answers == [200, 200, 429]


def test_without_limits_nothing_is_counted_or_told(door: Door, customer: Customer) -> None:
    reply = door.post(key=customer.key, action="balance")
    assert told(reply) == {}
    assert status_of(door, customer.key, 120) == [200] * 120


@pytest.mark.parametrize("what", ["orders", "questions"])
def test_a_crowd_gets_exactly_what_the_key_allows(
    make: Make, customer: Customer, order: Order, what: str
) -> None:
    door = make()
    question = {"key": customer.key, "action": "status", "orders": "x"}

    async def crowd() -> list[Reply]:
        calls = [
            order | {"request_id": f"{number}"} if what == "orders" else question for number in range(300)
        ]
        return await asyncio.gather(*map(door.form, calls))

    answers = [reply.status for reply in door.run(crowd())]
    assert answers.count(200) == 100
    assert answers.count(429) == 200


def named(server: Server, *addresses: str) -> int:
    return server.request(b"", headers={"X-Forwarded-For": ", ".join(addresses)}).status


def test_an_address_that_a_caller_makes_up_is_not_believed(settings: Settings) -> None:
    with serving(replace(settings, ip_per_minute=3, limits=True)) as server:
        answers = [named(server, f"203.0.113.{number}") for number in range(9)]
    assert 429 in answers
    assert answers.count(400) in {3, 6}, "six where a minute ended meanwhile"


def test_an_address_that_a_trusted_proxy_names_is_counted_and_what_stands_before_it_is_not(
    settings: Settings,
) -> None:
    trusting = replace(
        settings, ip_per_minute=3, limits=True, trusted_proxies=peers.parse("127.0.0.1,10.0.0.0/8")
    )
    with serving(trusting) as server:
        assert [named(server, f"203.0.113.{number}") for number in range(9)] == [400] * 9
        answers = [named(server, f"198.51.100.{number}", "192.0.2.9", "10.0.0.1") for number in range(9)]
    assert 429 in answers
    assert answers.count(400) in {3, 6}, "six where a minute ended meanwhile"


def test_the_examples_for_resellers_are_like_real_answers(make: Make, customer: Customer, slow: str) -> None:
    door = make()
    door.post(key=customer.key, action="balance")
    real = [
        [door.post(key=slow, action="status", orders="x") for _ in range(4)][-1],
        door.post(key=customer.key, action="balance"),
    ]
    examples = EXAMPLE.findall(DOCUMENT)
    assert len(examples) == len(real)
    for (status, lines, body), reply in zip(examples, real, strict=True):
        shown = dict(line.split(": ", 1) for line in lines.splitlines())
        assert (int(status), list(shown)) == (reply.status, list(reply.headers))
        contract.judge(int(status), shown, body.encode())
        assert int(shown["content-length"]) == len(body)
        assert json.loads(body).keys() == reply.value.keys()
        assert int(shown["x-ratelimit-reset"]) % 60 == 0
