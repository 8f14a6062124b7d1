"""Placing a set of orders."""

from given import Given, draft
from panelry.database.pool import Conn
from panelry.domain.orders import Placed, place


def test_the_same_request_twice_in_a_set_is_one_order(conn: Conn, given: Given) -> None:
    customer, service = given.customer("10"), given.service()
    wanted = draft(customer, service, request_id="twin")
    first, second = place(conn, [wanted, wanted])
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (first.order_id, second.replayed) == (second.order_id, True)
