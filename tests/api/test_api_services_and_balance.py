"""`services` and `balance`."""

import asyncio
import gzip
from decimal import Decimal
from typing import Any

import contract
import pytest
from books import Stored
from doors import Door, Reply

from given import Customer, upstream_service
from panelry import clock
from panelry.api.calls import BALANCE_SECONDS
from panelry.domain.catalog import ServiceId


def services(door: Door, customer: Customer, **headers: str) -> Reply:
    return door.send(f"key={customer.key}&action=services".encode(), headers=headers)


def listed(door: Door, customer: Customer) -> list[dict[str, Any]]:
    value = services(door, customer).value
    contract.validate("Services", value)
    return list(value)


@pytest.fixture
def buyer(fresh_stored: Stored) -> Customer:
    with fresh_stored() as given:
        return given.customer("1")


def test_a_price_list_of_nothing_is_an_empty_array(fresh_door: Door, buyer: Customer) -> None:
    assert listed(fresh_door, buyer) == []


def test_every_service_with_its_price_and_limits(
    fresh_door: Door, fresh_stored: Stored, buyer: Customer
) -> None:
    with fresh_stored() as given:
        service = given.services(
            None, [upstream_service(rate="0.9", minimum=50, maximum=10_000, name="Naïve “名”")]
        )[0]
    assert listed(fresh_door, buyer) == [
        {
            "service": service, "name": "Naïve “名”", "type": "Default", "category": "Newsletters", "rate": "0.90",
            "min": "50", "max": "10000", "dripfeed": False, "refill": True, "cancel": True, "description": "",
            "average_time": "",
        }
    ]  # fmt: skip


def test_services_stand_by_category_then_position(
    fresh_door: Door, fresh_stored: Stored, buyer: Customer
) -> None:
    with fresh_stored() as given:
        a, b, c, d = given.services(None, [upstream_service(name=name) for name in "abcd"])
        given.conn.execute(
            "INSERT INTO categories (name, position) VALUES ('Last', 10), ('First', 1);"
            "UPDATE categories SET position = 5 WHERE name = 'Newsletters'"
        )
        given.conn.execute(
            "UPDATE services SET category_id = (SELECT id FROM categories WHERE name = 'First') WHERE id = %s",
            [d],
        )
        given.conn.execute(
            "UPDATE services SET category_id = (SELECT id FROM categories WHERE name = 'Last') WHERE id = %s",
            [a],
        )
        given.conn.execute("UPDATE services SET position = 3 WHERE id = %s", [b])
        given.conn.execute("UPDATE services SET position = 2 WHERE id = %s", [c])
    rows = [(row["service"], row["category"]) for row in listed(fresh_door, buyer)]
    assert rows == [(d, "First"), (c, "Newsletters"), (b, "Newsletters"), (a, "Last")]


def test_a_price_per_package_says_so(fresh_door: Door, fresh_stored: Stored, buyer: Customer) -> None:
    with fresh_stored() as given:
        package, plain = given.services(None, [upstream_service(), upstream_service()])
        given.conn.execute("UPDATE services SET rate_per = 1 WHERE id = %s", [package])
    rows = {row["service"]: row.get("per") for row in listed(fresh_door, buyer)}
    assert rows == {package: "package", plain: None}


def test_services_off_sale_are_not_listed(fresh_door: Door, fresh_stored: Stored, buyer: Customer) -> None:
    with fresh_stored() as given:
        _, sold = given.services(None, [upstream_service(type_="Telepathy"), upstream_service()])
    assert [row["service"] for row in listed(fresh_door, buyer)] == [sold]


def test_a_change_of_the_catalogue_shows_at_once(
    fresh_door: Door, fresh_stored: Stored, buyer: Customer
) -> None:
    added = []
    for number in range(3):
        with fresh_stored() as given:
            added += given.services(None, [upstream_service(rate=f"{number + 1}.5")])
        rows = listed(fresh_door, buyer)
        assert [row["service"] for row in rows] == added
        assert rows[-1]["rate"] == f"{number + 1}.50"


@pytest.mark.parametrize(
    "accepted", ["gzip", "deflate, gzip;q=0.5, br", "GZIP", "gzip;q=1.0", "x, gzip ; q=0.001"]
)
def test_a_price_list_travels_compressed_to_who_accepts_it(
    door: Door, customer: Customer, service: ServiceId, accepted: str
) -> None:
    plain, zipped = services(door, customer), services(door, customer, **{"accept-encoding": accepted})
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.raw) == plain.raw
    assert zipped.headers["vary"] == plain.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    "accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.00, br", "gzip;q=0,deflate"]
)
def test_a_price_list_travels_as_it_is_to_who_does_not(
    door: Door, customer: Customer, service: ServiceId, accepted: str
) -> None:
    reply = services(door, customer, **{"accept-encoding": accepted})
    assert "content-encoding" not in reply.headers
    assert service in [row["service"] for row in reply.value]


def balance(door: Door, customer: Customer) -> str:
    value = door.post(key=customer.key, action="balance").value
    contract.validate("Balance", value)
    assert value["currency"] == "USD"
    return str(value["balance"])


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "0.00"), ("47.32", "47.32"), ("0.5", "0.50"), ("0.27819", "0.27819"), ("1000000", "1000000.00")],
)  # fmt: skip
def test_a_balance_has_two_to_six_decimals(door: Door, stored: Stored, amount: str, shown: str) -> None:
    with stored() as given:
        customer = given.customer(amount)
    assert balance(door, customer) == shown


def test_a_balance_is_fresh_after_ones_own_order(
    door: Door, customer: Customer, order: dict[str, str]
) -> None:
    assert balance(door, customer) == "100.00"
    assert door.post(order).order
    assert balance(door, customer) == "99.90"


def test_a_balance_is_at_most_thirty_seconds_old(
    door: Door, stored: Stored, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BALANCE_SECONDS == 30
    balance(door, customer)
    with stored() as given:
        given.deposit(customer.account, "1")
    assert balance(door, customer) == "100.00"
    later = clock.monotonic() + BALANCE_SECONDS
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    assert balance(door, customer) == "101.00"


def test_a_balance_read_while_an_order_is_placed_is_not_kept(
    door: Door, customer: Customer, order: dict[str, str]
) -> None:
    """The look at the wallet begins before the order and comes back after it: it must not be what is remembered."""
    slow = door.api._calls._balance
    perform = slow._perform

    async def race() -> Decimal:
        began, placed = asyncio.Event(), asyncio.Event()

        async def look_early(accounts: Any) -> Any:
            got = await perform(accounts)
            began.set()
            await placed.wait()
            return got

        slow._perform = look_early
        asking = asyncio.create_task(door.form(key=customer.key, action="balance"))
        await began.wait()
        await door.form(order)
        placed.set()
        await asking
        slow._perform = perform
        return Decimal((await door.form(key=customer.key, action="balance")).value["balance"])

    try:
        assert door.run(race()) == Decimal("99.90")
    finally:
        slow._perform = perform


def test_a_balance_is_the_accounts_own(door: Door, stored: Stored, customer: Customer) -> None:
    with stored() as given:
        other = given.customer("3")
    assert (balance(door, other), balance(door, customer)) == ("3.00", "100.00")
