"""`add` for services of every type, with runs and with coupons."""

import re
from collections.abc import Callable
from decimal import Decimal

import contract
import pytest
from books import Books, Stored
from doors import Door

from domain.every_type import EVERY, MAXIMUM, MINIMUM
from given import Customer, upstream_service
from panelry.domain import money
from panelry.domain.orders import PARAMETERS, TYPES
from panelry.domain.orders.rules.types import Quantity

Order = dict[str, str]
Wanted = Callable[..., Order]
TABLE = re.compile(r"\| ([A-Z][A-Za-z ]+) \| ([a-z_, ]+) \| ?([a-z_, ]*) \| ([a-z ]+) \|")


@pytest.fixture
def wanted(stored: Stored, customer: Customer) -> Wanted:
    """Return a way to write a complete order of a service of a type, from 3 to 1,000 units at 1.00 per 1,000."""

    def write(type_: str, **changes: str) -> Order:
        with stored() as given:
            row = upstream_service(type_=type_, minimum=MINIMUM, maximum=MAXIMUM, dripfeed=True)
            [service] = given.services(None, [row])
            given.conn.execute("UPDATE services SET state = 'on_sale' WHERE id = %s", [service])
        head = {"key": customer.key, "action": "add", "service": str(service), "request_id": "r-1"}
        return {**head, **EVERY[type_].said, **changes}

    return write


def charge(door: Door, order: Order) -> str:
    """Place an order and say what it costs."""
    placed = door.post(order).order
    return str(door.post({"key": order["key"], "action": "status", "order": placed}).value["charge"])


@pytest.mark.parametrize("type_", EVERY)
def test_every_type_is_ordered_and_charged_by_its_units(door: Door, wanted: Wanted, type_: str) -> None:
    order = wanted(type_)
    contract.validate("AddRequest", order)
    assert charge(door, order) == money.text(EVERY[type_].units * 1000)
    assert door.post(order).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("type_", EVERY)
def test_whatever_a_type_needs_is_named_when_it_is_not_there(
    door: Door, books: Books, wanted: Wanted, type_: str
) -> None:
    order = wanted(type_)
    with books.untouched():
        for name in TYPES[type_].required:
            assert door.post(order | {name: ""}).error == (400, f"Missing required parameter: {name}")


@pytest.mark.parametrize(
    ("type_", "changes", "text"),
    [
        ("Web Traffic", {"device": "6"}, "device must be between 1 and 5"),
        ("Web Traffic", {"device": "0"}, "device must be a positive integer"),
        ("Web Traffic", {"type_of_traffic": "4"}, "type_of_traffic must be between 1 and 3"),
        ("Web Traffic", {"type_of_traffic": "1", "google_keyword": ""}, "Missing required parameter: google_keyword"),
        ("Web Traffic", {"type_of_traffic": "2", "referring_url": ""}, "Missing required parameter: referring_url"),
        ("Web Traffic", {"referring_url": "example.com"}, "referring_url must be a valid http(s) URL"),
        ("Web Traffic", {"country": "D\nE"}, "country must be a single line"),
        ("Web Traffic", {"runs": "2"}, "Missing required parameter: interval"),
        ("Default", {"runs": "1001", "interval": "5"}, "runs must be between 1 and 1000"),
        ("Default", {"runs": "2", "interval": "525601"}, "interval must be between 1 and 525600"),
        ("Poll", {"answer_number": "two"}, "answer_number must be a positive integer"),
        ("Poll", {"runs": "2", "interval": "5"}, "Drip-feed is not available for this service"),
        ("Comment Likes", {"username": "x" * 256}, "username must be at most 255 characters"),
        ("Custom Comments", {"comments": "a\nb"}, "Quantity must be between 3 and 1000"),
        ("Custom Comments", {"comments": "a\n" * 10_001}, "comments must have at most 10000 lines"),
        ("Mentions", {"usernames": "a\n" * 10_001}, "usernames must have at most 10000 lines"),
        ("Subscriptions", {"min": "2"}, "Quantity must be between 3 and 1000"),
        ("Subscriptions", {"min": "20", "max": "19"}, "max must be at least min"),
        ("Subscriptions", {"min": "-20"}, "min must be a positive integer"),
        ("Subscriptions", {"posts": "0"}, "posts must be a positive integer"),
        ("Subscriptions", {"delay": "soon"}, "delay must be 0 or a positive integer"),
        ("Subscriptions", {"delay": "525601"}, "delay must be between 0 and 525600"),
        ("Subscriptions", {"expiry": "31/02/2030"}, "expiry must be a date as DD/MM/YYYY, today or later"),
        ("Subscriptions", {"expiry": "01/01/2020"}, "expiry must be a date as DD/MM/YYYY, today or later"),
    ],
)  # fmt: skip
def test_a_fault_is_told_and_nothing_is_written(
    door: Door, books: Books, wanted: Wanted, type_: str, changes: Order, text: str
) -> None:
    order = wanted(type_, **changes)
    with books.untouched():
        assert door.post(order).error == (400, text)


def test_runs_are_charged_all_together(door: Door, wanted: Wanted) -> None:
    assert charge(door, wanted("Default", runs="5", interval="30")) == "0.50"


def test_a_coupon_lowers_what_is_paid_and_is_used_up(
    door: Door, stored: Stored, books: Books, customer: Customer, order: Order
) -> None:
    with stored() as given:
        code = given.coupon(percent=Decimal(40), most_uses=1)
    first = door.post(order | {"coupon": f" {code.lower()} "})
    with stored() as given:
        assert given.balance(customer) == 99_940_000
    assert door.post(order | {"coupon": code.lower()}).order == first.order
    with books.untouched():
        again = order | {"coupon": code, "request_id": "r-2"}
        assert door.post(again).error == (400, "Invalid coupon")
        assert door.post(again | {"coupon": "never-heard-of"}).error == (400, "Invalid coupon")


def test_a_list_that_fills_the_body_is_taken(door: Door, stored: Stored, wanted: Wanted) -> None:
    comments = "\n".join("x" * 90 for _ in range(10_000))
    order = wanted("Custom Comments", comments=comments)
    with stored() as given:
        given.conn.execute("UPDATE services SET maximum = 10000 WHERE id = %s", [int(order["service"])])
    assert charge(door, order) == "10.00"


def test_the_price_list_says_of_what_type_a_service_is(
    door: Door, customer: Customer, wanted: Wanted
) -> None:
    service = int(wanted("Comment Replies")["service"])
    listed = door.post({"key": customer.key, "action": "services"}).value
    assert [row["type"] for row in listed if row["service"] == service] == ["Comment Replies"]


# The contract


def test_the_contract_tells_the_same_of_every_type_as_the_table() -> None:
    description = contract.DOCUMENT["components"]["schemas"]["AddRequest"]["description"]
    told = {
        type_: (set(needs.split(", ")), set(takes.split(", ")) - {""}, quantity)
        for type_, needs, takes, quantity in TABLE.findall(description)
    }
    words = {Quantity.PARAMETER: "quantity", Quantity.FIXED: "fixed"}
    assert told == {
        name: (
            set(type_.required),
            set(type_.optional),
            words.get(type_.quantity, f"lines of {type_.lines_of}"),
        )
        for name, type_ in TYPES.items()
    }


def test_the_contract_knows_every_parameter_and_every_type() -> None:
    schemas = contract.DOCUMENT["components"]["schemas"]
    head = {"key", "action", "service", "request_id"}
    assert schemas["AddRequest"]["properties"].keys() - head == PARAMETERS
    assert set(schemas["Service"]["properties"]["type"]["enum"]) == TYPES.keys()
