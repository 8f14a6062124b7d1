"""`status`: one order, or up to a hundred."""

from uuid import UUID

import contract
import pytest
from books import Stored
from doors import Door
from msgspec import structs

from given import Customer, draft, upstream_service
from panelry.domain import ids, orders
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import Placed
from panelry.domain.providers import Report, UpstreamState

Many = list[str]


@pytest.fixture
def placed(stored: Stored, customer: Customer, service: ServiceId) -> Many:
    """Place three orders of 1,000 units."""
    with stored() as given:
        return [ids.show(ids.ORDER, given.placed(customer, service, 1000)) for _ in range(3)]


def ask(door: Door, customer: Customer, **fields: str) -> object:
    return door.post({"key": customer.key, "action": "status", **fields}).value


PENDING = {"status": "pending", "charge": "1.00", "start_count": "0", "remains": "1000", "currency": "USD"}


def test_one_order(door: Door, customer: Customer, placed: Many) -> None:
    value = ask(door, customer, order=placed[0])
    contract.validate("Status", value)
    assert value == PENDING


def test_many_orders_come_keyed_by_id(door: Door, customer: Customer, placed: Many) -> None:
    value = ask(door, customer, orders=",".join(placed))
    contract.validate("Statuses", value)
    assert value == dict.fromkeys(placed, PENDING)


def test_a_list_of_one_is_still_a_list(door: Door, customer: Customer, placed: Many) -> None:
    assert ask(door, customer, orders=placed[0]) == {placed[0]: PENDING}


def test_blanks_and_duplicates_are_dropped(door: Door, customer: Customer, placed: Many) -> None:
    a, b, _ = placed
    assert ask(door, customer, orders=f" , {a} ,, {b},{a},") == {a: PENDING, b: PENDING}


@pytest.mark.parametrize(
    "names", [["orders[]"] * 2, ["orders[0]", "orders[1]"], ["orders[7]", "orders[]"], ["orders", "orders[]"]]
)
def test_a_list_may_come_as_an_array(door: Door, customer: Customer, placed: Many, names: Many) -> None:
    a, b, _ = placed
    reply = door.post([("key", customer.key), ("action", "status"), (names[0], a), (names[1], f" {b} ")])
    assert reply.value == {a: PENDING, b: PENDING}


def test_of_a_repeated_place_in_an_array_the_last_counts(
    door: Door, customer: Customer, placed: Many
) -> None:
    a, b, _ = placed
    fields = [("key", customer.key), ("action", "status"), ("orders[0]", a), ("orders[0]", b)]
    assert door.post(fields).value == {b: PENDING}


def test_ids_of_others_are_left_out(door: Door, stored: Stored, customer: Customer, placed: Many) -> None:
    with stored() as given:
        other = given.customer("1")
    assert ask(door, other, orders=",".join(placed)) == {}
    assert ask(door, other, orders="nonsense") == {}
    assert door.post(key=other.key, action="status", order=placed[0]).error == (400, "Order not found")
    mixed = f"{placed[0]},{ids.show(ids.ORDER, ids.new())},ord_,{placed[1].lower()}"
    assert ask(door, customer, orders=mixed) == {placed[0]: PENDING}


@pytest.mark.parametrize(
    "order",
    [
        "1",
        "ord_",
        "ord_" + "0" * 26,
        "ord_" + "Z" * 26,
        "ord_" + "0" * 25 + "Ü",
        "ord_" + "0" * 400,
        "' OR 1=1 --",
    ],
)
def test_an_unknown_order_is_not_found(door: Door, customer: Customer, order: str) -> None:
    reply = door.post(key=customer.key, action="status", order=order)
    assert reply.error == (400, "Order not found")


def test_an_id_has_one_spelling(door: Door, customer: Customer, placed: Many) -> None:
    for other in (placed[0].lower(), placed[0].removeprefix("ord_"), "sub_" + placed[0][4:]):
        assert door.post(key=customer.key, action="status", order=other).error == (400, "Order not found")


def test_a_hundred_ids_and_no_more(door: Door, customer: Customer, placed: Many) -> None:
    unknown = [ids.show(ids.ORDER, UUID(int=n)) for n in range(98)]
    most = ",".join([*unknown, placed[0], placed[1]])
    assert ask(door, customer, orders=most) == {placed[0]: PENDING, placed[1]: PENDING}
    assert ask(door, customer, orders=f"{most},{placed[0]},,") == {placed[0]: PENDING, placed[1]: PENDING}
    reply = door.post(key=customer.key, action="status", orders=f"{most},{placed[2]}")
    assert reply.error == (400, "Maximum 100 orders per request")


@pytest.mark.parametrize(
    "fields",
    [{}, {"order": ""}, {"orders": ""}, {"orders": " , "}, {"orders[]": ""}, {"orders[0]": " "}],
    ids=str,
)
def test_neither_an_id_nor_a_list(door: Door, customer: Customer, fields: dict[str, str]) -> None:
    reply = door.post({"key": customer.key, "action": "status", **fields})
    assert reply.error == (400, "Missing parameter: order")


@pytest.mark.parametrize("name", ["orders", "orders[]", "orders[3]"])
def test_both_an_id_and_a_list(door: Door, customer: Customer, placed: Many, name: str) -> None:
    reply = door.post({"key": customer.key, "action": "status", "order": placed[0], name: placed[1]})
    assert reply.error == (400, "Provide either order or orders, not both")


def test_an_empty_list_beside_an_id_is_absent(door: Door, customer: Customer, placed: Many) -> None:
    assert ask(door, customer, order=placed[0], orders=" ,") == PENDING


@pytest.mark.parametrize(
    ("state", "remains", "shown"),
    [
        (UpstreamState.IN_PROGRESS, 650, {"status": "in_progress", "charge": "1.00", "remains": "650"}),
        (UpstreamState.COMPLETED, 0, {"status": "completed", "charge": "1.00", "remains": "0"}),
        (UpstreamState.PARTIAL, 400, {"status": "partial", "charge": "0.60", "remains": "400"}),
        (UpstreamState.CANCELLED, 1000, {"status": "cancelled", "charge": "0.00", "remains": "1000"}),
    ],
)  # fmt: skip
def test_what_became_of_an_order(
    door: Door, stored: Stored, customer: Customer, state: UpstreamState, remains: int, shown: dict[str, str]
) -> None:
    with stored() as given:
        provider = given.provider()
        order = given.placed(customer, given.service(provider), 1000)
        tracked = given.accepted(provider)
        report = Report(state=state, word=state, start_count=1234, remains=remains)
        orders.apply_reports(given.conn, {tracked: report})
    value = ask(door, customer, order=ids.show(ids.ORDER, order))
    contract.validate("Status", value)
    assert value == {**shown, "start_count": "1234", "currency": "USD"}


def test_a_drip_feed_tells_its_runs(fresh_door: Door, fresh_stored: Stored) -> None:
    with fresh_stored() as given:
        customer = given.customer("100")
        provider = given.provider()
        service = given.service(provider)
        given.conn.execute("UPDATE services SET dripfeed = true WHERE id = %s", [service])
        [placed] = orders.place(given.conn, [draft(customer, service, runs="3", interval="10")])
        assert isinstance(placed, Placed)
        assert orders.make_runs(given.conn) == 1
        report = Report(state=UpstreamState.COMPLETED, word="Completed", remains=0)
        orders.apply_reports(given.conn, {given.accepted(provider): report})
    order = ids.show(ids.ORDER, placed.order_id)
    value = ask(fresh_door, customer, order=order)
    contract.validate("Status", value)
    assert value == {
        "status": "in_progress", "charge": "0.30", "start_count": "0", "remains": "200", "currency": "USD",
        "runs": "3", "runs_done": "1",
    }  # fmt: skip
    assert ask(fresh_door, customer, orders=order) == {order: value}


@pytest.mark.parametrize(("posts", "shown"), [({"posts": "5"}, "5"), ({}, "0")])
def test_a_subscription_tells_its_posts(
    door: Door, stored: Stored, customer: Customer, posts: dict[str, str], shown: str
) -> None:
    with stored() as given:
        provider = given.provider()
        [service] = given.services(provider, [upstream_service(type_="Subscriptions")])
        wish = {"username": "somebody", "min": "10", "max": "20", "delay": "0", **posts}
        drafted = structs.replace(draft(customer, service), parameters=wish)
        [placed] = orders.place(given.conn, [drafted])
        assert isinstance(placed, Placed), placed
        report = Report(state=UpstreamState.IN_PROGRESS, word="Active", posts_done=2)
        orders.apply_reports(given.conn, {given.accepted(provider): report})
    value = ask(door, customer, order=ids.show(ids.ORDER, placed.order_id))
    contract.validate("Status", value)
    assert isinstance(value, dict)
    assert (value["status"], value["posts"], value["posts_done"]) == ("in_progress", shown, "2")
    assert not {"runs", "runs_done"} & value.keys()
