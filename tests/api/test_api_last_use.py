"""When a key was used last: noted for every request of a caller, written together, soon and at the end."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from books import Stored
from doors import Door

from given import Customer
from panelry.api import uses
from panelry.database.pool import Pool
from panelry.domain import accounts
from panelry.domain.accounts import Key


@pytest.fixture
def own_door(pool: Pool) -> Iterator[Door]:
    """Return a door that nobody has used; what it noted is written when it closes."""
    door = Door(pool)
    yield door
    door.close()


def key_of(stored: Stored, customer: Customer) -> Key:
    with stored() as given:
        return accounts.key_by_prefix(given.conn, customer.key[:12])


def last_use(stored: Stored, customer: Customer) -> datetime | None:
    return key_of(stored, customer).last_used_at


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "services"},
        {"action": "balance"},
        {"action": "status", "order": "ord_00000000000000000000000000"},
        {"action": "nonsense"},
        {"action": "add"},
        {},
    ],
    ids=str,
)
def test_every_request_of_a_caller_is_a_use(
    pool: Pool, stored: Stored, customer: Customer, fields: dict[str, str]
) -> None:
    door = Door(pool)
    door.post(fields, key=customer.key)
    assert last_use(stored, customer) is None
    door.close()
    assert last_use(stored, customer) is not None


def test_an_order_is_a_use_also_where_the_key_is_known_already(
    own_door: Door, stored: Stored, customer: Customer, order: dict[str, str]
) -> None:
    seen = []
    for number in range(3):
        assert own_door.post(order, request_id=f"{number}").order
        own_door.api._uses.close()
        seen.append(last_use(stored, customer))
    assert None not in seen
    assert sorted(set(seen), key=str) == seen


def test_uses_are_written_soon_without_anybody_asking(
    own_door: Door, stored: Stored, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert uses.EVERY_SECONDS == 10
    monkeypatch.setattr(uses, "EVERY_SECONDS", 0.05)

    async def wait_for_a_use_after(before: datetime | None) -> datetime:
        for _ in range(200):
            await own_door.form(key=customer.key, action="balance")
            await asyncio.sleep(0.02)
            after = await asyncio.to_thread(last_use, stored, customer)
            if after is not None and (before is None or after > before):
                return after
        raise AssertionError("it was never written")

    first = own_door.run(wait_for_a_use_after(None))
    assert own_door.run(wait_for_a_use_after(first)) > first


def test_many_uses_are_one_statement(pool: Pool, stored: Stored) -> None:
    with stored() as given:
        customers = [given.customer() for _ in range(5)]
    door = Door(pool)
    for customer in customers * 4:
        door.post(key=customer.key, action="balance")
    assert len(door.api._uses._used) == 5
    door.close()
    assert None not in [last_use(stored, customer) for customer in customers]


def test_whoever_is_turned_away_for_the_key_uses_none(
    pool: Pool, stored: Stored, order: dict[str, str]
) -> None:
    with stored() as given:
        customer = given.customer("10")
    order |= {"key": customer.key}
    door = Door(pool)
    assert door.post(order).order
    door.api._uses.close()
    with stored() as given:
        query = "SELECT id, last_used_at FROM api_keys WHERE account_id = %s"
        [[key_id, before]] = given.conn.execute(query, [customer.account]).fetchall()
        given.revoke(customer.key)
    assert door.post(order).error == (400, "Invalid API key")
    assert door.post(key=customer.key, action="balance").error == (400, "Invalid API key")
    assert door.api._uses._used == {}
    door.close()
    with stored() as given:
        assert given.conn.execute(query, [customer.account]).fetchall() == [(key_id, before)]


def test_what_another_process_wrote_later_stays(pool: Pool, stored: Stored, customer: Customer) -> None:
    door = Door(pool)
    door.post(key=customer.key, action="balance")
    key = key_of(stored, customer)
    later = key.created_at + timedelta(hours=1)
    with stored() as given:
        accounts.note_use(given.conn, {key.id: later})
    door.close()
    assert last_use(stored, customer) == later
