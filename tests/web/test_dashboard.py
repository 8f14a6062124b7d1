"""What a customer sees."""

import re
from decimal import Decimal

from browsers import Login, Stored, signed_in, text
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from given import Customer, Given, draft
from panelry.domain import ids, orders
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import OrderId
from panelry.domain.providers import Report, UpstreamState


def many(given: Given, customer: Customer, service: ServiceId, count: int) -> list[OrderId]:
    """Place orders and return them, newest first."""
    placed = orders.place(given.conn, [draft(customer, service) for _ in range(count)])
    return sorted((one.order_id for one in placed), reverse=True)  # type: ignore[union-attr]


def listed(answer: HttpResponse) -> list[str]:
    return re.findall(r'title="(ord_[0-9A-Z]{26})"', answer.content.decode())


def shown(found: list[OrderId]) -> list[str]:
    return [ids.show(ids.ORDER, id_) for id_ in found]


def test_orders_are_paged_newest_first_there_and_back(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        every = many(given, customer, service, 60)
    client = customer_login(customer)
    first = client.get("/dashboard/")
    assert listed(first) == shown(every[:25])
    second = client.get(f"/dashboard/?older={ids.show(ids.ORDER, every[24])}")
    assert listed(second) == shown(every[25:50])
    third = client.get(f"/dashboard/?older={ids.show(ids.ORDER, every[49])}")
    assert listed(third) == shown(every[50:])
    back = client.get(f"/dashboard/?newer={ids.show(ids.ORDER, every[50])}")
    assert listed(back) == shown(every[25:50])
    assert listed(client.get(f"/dashboard/?newer={ids.show(ids.ORDER, every[20])}")) == shown(every[:25])
    links = [re.findall(r'rel="(prev|next)"', page.content.decode()) for page in (first, second, third, back)]
    assert links == [["next"], ["prev", "next"], ["prev"], ["prev", "next"]]


def test_an_address_that_names_no_order_shows_the_first_page(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        every = many(given, customer, service, 3)
    assert listed(customer_login(customer).get("/dashboard/?older=1%27%22")) == shown(every)


def test_orders_of_another_account_never_show(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        [mine] = many(given, customer, service, 1)
        [theirs] = many(given, given.customer("10"), service, 1)
    client = customer_login(customer)
    for id_ in (mine, theirs):
        for way in ("older", "newer"):
            page = listed(client.get(f"/dashboard/?{way}={ids.show(ids.ORDER, id_)}"))
            assert set(page) <= set(shown([mine]))


def test_what_customers_and_providers_write_is_only_text(
    customer_login: Login, customer: Customer, stored: Stored
) -> None:
    evil = "https://example.com/<script>alert(1)</script>"
    with stored() as given:
        service = given.service()
        given.conn.execute("UPDATE services SET name = %s WHERE id = %s", ["<b>'\"</b>", service])
        orders.place(given.conn, [draft(customer, service, link=evil)])
    page = customer_login(customer).get("/dashboard/").content.decode()
    assert "https://example.com/&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "<b>'" not in page


def test_a_page_costs_the_same_few_queries_however_many_orders_there_are(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    client = customer_login(customer)
    with CaptureQueriesContext(connection) as empty:
        client.get("/dashboard/")
    with stored() as given:
        many(given, customer, service, 30)
    with CaptureQueriesContext(connection) as full:
        client.get("/dashboard/")
    assert len(full) == len(empty) <= 6


def test_a_new_account_is_told_what_will_stand_here(customer_login: Login, stored: Stored) -> None:
    with stored() as given:
        customer = given.customer()
    page = text(customer_login(customer).get("/dashboard/"))
    assert "No orders yet" in page
    assert "$0.00" in page


def test_a_refunded_part_shows_what_was_kept(
    customer_login: Login, customer: Customer, stored: Stored
) -> None:
    with stored() as given:
        provider = given.provider()
        given.placed(customer, given.service(provider, rate="2.50"), quantity=1_000)
        report = Report(state=UpstreamState.PARTIAL, word="Partial", remains=300)
        orders.apply_reports(given.conn, {given.accepted(provider): report})
    page = text(customer_login(customer).get("/dashboard/"))
    assert "$1.75 of $2.50" in page
    assert "700 / 1,000" in page


def test_a_drip_feed_is_one_line_and_a_coupon_makes_it_cheaper(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        given.conn.execute("UPDATE services SET dripfeed = true WHERE id = %s", [service])
        wanted = draft(
            customer, service, quantity=100, runs="2", interval="5", coupon=given.coupon(percent=Decimal(10))
        )
        [placed] = orders.place(given.conn, [wanted])
        assert isinstance(placed, orders.Placed)
        orders.make_runs(given.conn)
        query = "SELECT count(*) FROM orders WHERE parent_id = %s"
        assert given.conn.execute(query, [placed.order_id]).fetchone() == (1,)
    answer = customer_login(customer).get("/dashboard/")
    assert listed(answer) == shown([placed.order_id])
    assert "$0.45" in text(answer)


def test_a_person_without_an_account_gets_a_page_that_says_so(client: Client, pages: None) -> None:
    user = get_user_model().objects.create(email=f"{ids.new().hex}@example.com", is_staff=True)
    page = text(signed_in(client, user.email).get("/dashboard/"))
    assert "This log-in has no customer account" in page
    assert "Open the back office" in page


def test_a_page_of_one_customer_is_never_kept_for_another(customer_login: Login, customer: Customer) -> None:
    assert "private" in customer_login(customer).get("/dashboard/")["Cache-Control"]
