"""What a customer sees."""

from decimal import Decimal

from browsers import Login, Stored, listed, many, shown, signed_in, text
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from given import Customer, draft
from panelry.domain import ids, orders
from panelry.domain.catalog import ServiceId
from panelry.domain.providers import Report, UpstreamState


def test_the_latest_orders_stand_on_the_first_page(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        every = many(given, customer, service, 12)
        many(given, given.customer("10"), service, 1)
    answer = customer_login(customer).get("/dashboard/")
    assert listed(answer) == shown(every[:10])
    assert 'href="/dashboard/orders/">All orders' in answer.content.decode()


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
