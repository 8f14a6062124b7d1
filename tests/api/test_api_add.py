"""`add`: one order, its charge, and idempotency."""

from typing import Any

import pytest
from books import Books, Stored
from doors import JSON, Door

from given import Customer, Given
from panelry.database.pool import Pool
from panelry.domain import accounts, ids
from panelry.domain.catalog import ServiceId
from panelry.domain.money import Micros

Order = dict[str, str]


def balance(stored: Stored, customer: Customer) -> Micros:
    with stored() as given:
        return given.balance(customer)


def test_an_order_is_answered_with_its_id_and_charged(
    door: Door, stored: Stored, customer: Customer, order: Order
) -> None:
    reply = door.post(order)
    assert (reply.status, list(reply.value)) == (200, ["order"])
    assert ids.parse(ids.ORDER, reply.order) is not None
    assert "idempotent-replayed" not in reply.headers
    assert balance(stored, customer) == 99_900_000


def test_what_was_answered_is_committed(door: Door, pool: Pool, customer: Customer, order: Order) -> None:
    id_ = ids.parse(ids.ORDER, door.post(order).order)
    with pool.transaction() as conn:
        rows = conn.execute(
            "SELECT o.state, o.quantity, o.link, o.request_id, o.charge_micros, t.amount_micros, e.type FROM orders o"
            " JOIN transfers t ON t.account_id = o.account_id AND t.order_id = o.id"
            " JOIN events e ON e.account_id = o.account_id AND e.subject = o.id WHERE o.id = %s",
            [id_],
        ).fetchall()
    assert rows == [("pending", 100, order["link"], "r-1", 100_000, 100_000, "order.created")]


def test_the_same_call_again_is_the_same_order(
    door: Door, stored: Stored, customer: Customer, order: Order
) -> None:
    first, again = door.post(order), door.post(order)
    assert again.body == first.body
    assert again.headers["idempotent-replayed"] == "true"
    assert balance(stored, customer) == 99_900_000


@pytest.mark.parametrize(
    "other",
    [{"quantity": "000100"}, {"quantity": " 100 "}, {"unknown": "field"}, {"link": " https://example.com/post\t"}],
    ids=str,
)  # fmt: skip
def test_the_same_said_in_other_words_is_the_same_order(door: Door, order: Order, other: Order) -> None:
    assert door.post(order).order == door.post(order | other).order


def test_every_kind_of_body_says_the_same(door: Door, order: Order) -> None:
    first = door.post(order)
    as_json = b"{%s}" % b",".join(b'"%s":"%s"' % (k.encode(), v.encode()) for k, v in order.items())
    parts = "".join(
        f'--x\r\ncontent-disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in order.items()
    )
    assert door.send(as_json, JSON).order == first.order
    assert door.send(f"{parts}--x--\r\n".encode(), "multipart/form-data; boundary=x").order == first.order


@pytest.mark.parametrize(
    "other", [{"quantity": "101"}, {"link": "https://example.com/other"}, {"coupon": "half"}, {"service": "99999999"}], ids=str
)  # fmt: skip
def test_a_request_id_is_used_for_one_thing_only(
    door: Door, books: Books, order: Order, other: Order
) -> None:
    door.post(order)
    with books.untouched():
        assert door.post(order | other).error == (
            400,
            "request_id was already used with different parameters",
        )


def test_accounts_do_not_share_request_ids(door: Door, stored: Stored, order: Order) -> None:
    with stored() as given:
        other = given.customer("1")
    assert door.post(order).order != door.post(order | {"key": other.key}).order


def test_the_keys_of_an_account_share_its_request_ids(
    door: Door, stored: Stored, customer: Customer, order: Order
) -> None:
    with stored() as given:
        second = accounts.create_key(given.conn, customer.account).key
    assert door.post(order).order == door.post(order | {"key": second}).order


def test_a_refused_order_leaves_its_request_id_free(
    door: Door, stored: Stored, books: Books, customer: Customer, order: Order
) -> None:
    large = order | {"quantity": "200000"}
    with books.untouched():
        assert door.post(large).error == (400, "Insufficient balance")
    with stored() as given:
        given.deposit(customer.account, "100")
    reply = door.post(large)
    assert reply.order
    assert "idempotent-replayed" not in reply.headers
    assert balance(stored, customer) == 0


def test_a_known_request_id_is_answered_before_anything_else_is_looked_at(
    door: Door, stored: Stored, order: Order
) -> None:
    with stored() as given:
        service, poor = given.service(), given.customer("0.10")
    mine = order | {"service": str(service), "key": poor.key}
    first = door.post(mine)
    off_sale(stored, service)
    assert door.post(mine).order == first.order
    assert door.post(mine | {"request_id": "r-2"}).error == (400, "Service not found")


def off_sale(stored: Stored, service: ServiceId) -> None:
    with stored() as given:
        given.conn.execute("UPDATE services SET state = 'off_sale' WHERE id = %s", [service])


@pytest.mark.parametrize("length", [1, 128])
def test_request_ids_of_every_allowed_length(door: Door, order: Order, length: int) -> None:
    assert door.post(order | {"request_id": "ñ" * length}).order


def test_drip_feed_and_coupons_are_refused_where_there_are_none(
    door: Door, books: Books, order: Order
) -> None:
    with books.untouched():
        assert door.post(order, runs="2", interval="5").error == (
            400,
            "Drip-feed is not available for this service",
        )
        assert door.post(order, coupon="HALF").error == (400, "Invalid coupon")


@pytest.mark.parametrize(
    "link",
    ["example.com", "ftp://example.com/", "javascript:alert(1)", "https://", "http:///x", "https://a b.c/", "//x.y/",
     "https://x.y/\u00a0z", "https://[::1", "https://x.y:99999/", "https://x\r\nSet-Cookie: a=b"],
)  # fmt: skip
def test_only_links_that_lead_somewhere(door: Door, books: Books, order: Order, link: str) -> None:
    with books.untouched():
        assert door.post(order | {"link": link}).error == (400, "Link must be a valid http(s) URL")


def test_the_limits_of_a_link_and_a_quantity(door: Door, order: Order) -> None:
    longest = "https://example.com/".ljust(1000, "ñ")
    assert door.post(order | {"link": longest}).order
    order |= {"request_id": "r-2"}
    assert door.post(order | {"link": longest + "x"}).error == (
        400,
        "Link must be at most 1000 characters",
    )
    for quantity in ("9", "1000001", "9" * 40):
        expected = (400, "Quantity must be between 10 and 1000000")
        assert door.post(order | {"quantity": quantity}).error == expected


def test_an_unknown_service_is_not_found(door: Door, books: Books, order: Order) -> None:
    with books.untouched():
        for service in ("2147483647", "2147483648", "9" * 18, "9" * 19, "9" * 40):
            assert door.post(order | {"service": service}).error == (400, "Service not found")


def test_an_order_of_exactly_what_is_left_is_placed(door: Door, stored: Stored, order: Order) -> None:
    with stored() as given:
        poor = given.customer("0.10")
    order |= {"key": poor.key}
    assert door.post(order).order
    assert door.post(order | {"request_id": "r-2"}).error == (400, "Insufficient balance")
    assert balance(stored, poor) == 0


def test_the_books_are_in_order_after_all_this(fresh_door: Door, fresh_stored: Stored) -> None:
    with fresh_stored() as given:
        customer, service = given.customer("1"), given.service(rate="3.333333")

    async def orders() -> list[Any]:
        fields = {"key": customer.key, "action": "add", "service": service, "link": "https://x.y/"}
        calls = [fresh_door.form({**fields, "quantity": n, "request_id": f"{n % 20}"}) for n in range(10, 60)]
        return [await call for call in calls]

    replies = fresh_door.run(orders())
    assert {reply.status for reply in replies} == {200, 400}
    with fresh_stored() as given:
        Given(given.conn).assert_books()
