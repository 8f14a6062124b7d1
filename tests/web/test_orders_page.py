"""All orders of a customer, by the page, however many they are."""

import re

import pytest
from browsers import Login, Stored, listed, many, plan_at_size, shown, signed_in, text
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from given import Customer, Given, draft
from panelry.domain import ids, orders
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import CUSTOMER, OrderId, OrderState
from panelry.domain.providers import Report, UpstreamState

LIST = "/dashboard/orders/"


def links(answer: HttpResponse) -> dict[str, str]:
    """Return where the buttons below the list lead, by their words; those that lead nowhere are left out."""
    [pager] = re.findall(r'<nav class="pager".*?</nav>', answer.content.decode(), re.DOTALL)
    found = re.findall(r'<a class="btn s"[^>]* href="([^"]*)">([^<]+)</a>', pager)
    return {words: LIST + address.replace("&amp;", "&") for address, words in found}


def ended(given: Given, customer: Customer, state: UpstreamState) -> OrderId:
    """Have an order placed and ended by its provider."""
    provider = given.provider()
    order = given.placed(customer, given.service(provider))
    orders.apply_reports(given.conn, {given.accepted(provider): Report(state=state, word="", remains=50)})
    return order


def test_pages_lead_from_the_newest_to_the_oldest_order_and_back(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        every = many(given, customer, service, 60)
    client = customer_login(customer)
    first = client.get(LIST)
    assert listed(first) == shown(every[:25])
    assert set(links(first)) == {"Older", "Oldest"}
    second = client.get(links(first)["Older"])
    assert listed(second) == shown(every[25:50])
    assert set(links(second)) == {"Newest", "Newer", "Older", "Oldest"}
    third = client.get(links(second)["Older"])
    assert listed(third) == shown(every[50:])
    assert set(links(third)) == {"Newest", "Newer"}
    assert listed(client.get(links(third)["Newer"])) == shown(every[25:50])
    assert listed(client.get(links(third)["Newest"])) == shown(every[:25])
    last = client.get(links(first)["Oldest"])
    assert listed(last) == shown(every[35:])
    assert set(links(last)) == {"Newest", "Newer"}
    assert listed(client.get(links(last)["Newer"])) == shown(every[10:35])


def test_a_page_before_few_newer_orders_is_the_first_one(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        every = many(given, customer, service, 30)
    newer = f"{LIST}?newer={ids.show(ids.ORDER, every[20])}"
    assert listed(customer_login(customer).get(newer)) == shown(every[:25])


@pytest.mark.parametrize("address", ["?older=1%27%22", "?state=gone", "?newer=", "?page=1000000"])
def test_an_address_that_makes_no_sense_shows_the_first_page(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored, address: str
) -> None:
    with stored() as given:
        every = many(given, customer, service, 3)
    assert listed(customer_login(customer).get(LIST + address)) == shown(every)


def test_orders_of_another_account_never_show(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        [mine] = many(given, customer, service, 1)
        [theirs] = many(
            given, given.customer("10"), service, 1, request_id="theirs", link="https://theirs.example/"
        )
    client = customer_login(customer)
    for query in ("older={}", "newer={}", "oldest", "q={}", "q=theirs", "q=example", "state=pending"):
        for id_ in (mine, theirs):
            answer = client.get(LIST + "?" + query.format(ids.show(ids.ORDER, id_)))
            assert set(listed(answer)) <= set(shown([mine])), query


def test_a_state_has_a_page_of_its_own_which_keeps_it(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        partial = ended(given, customer, UpstreamState.PARTIAL)
        every = many(given, customer, service, 30)
    client = customer_login(customer)
    assert listed(client.get(f"{LIST}?state=partial")) == shown([partial])
    pending = client.get(f"{LIST}?state=pending")
    assert listed(pending) == shown(every[:25])
    assert listed(client.get(links(pending)["Older"])) == shown(every[25:])
    assert "None of your orders is in this state now." in text(client.get(f"{LIST}?state=refunded"))


def test_tabs_count_exactly_up_to_a_limit_and_no_further(
    customer_login: Login,
    customer: Customer,
    service: ServiceId,
    stored: Stored,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("panelry.web.dashboard.orders.MOST_COUNTED", 5)
    with stored() as given:
        ended(given, customer, UpstreamState.PARTIAL)
        many(given, customer, service, 4)
    client = customer_login(customer)
    assert "All 5 Pending 4 Processing 0 In progress 0 Completed 0 Partial 1" in text(client.get(LIST))
    assert "1 of 1 orders" in text(client.get(f"{LIST}?state=partial"))
    with stored() as given:
        many(given, customer, service, 2)
    assert "All 5+ Pending 5+ Processing 0" in text(client.get(LIST))
    assert "6 of 5+ orders" in text(client.get(f"{LIST}?state=pending"))


def test_an_order_is_found_by_its_id_its_request_id_and_a_part_of_its_link(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        [wanted] = many(
            given, customer, service, 1, request_id="spring-7", link="https://Example.com/Spring_50%/"
        )
        many(given, customer, service, 2)
    client = customer_login(customer)
    for term in (ids.show(ids.ORDER, wanted), "spring-7", "  example.com/SPRING", "g_50%/"):
        assert listed(client.get(LIST, {"q": term})) == shown([wanted]), term
    for term in (
        "spring-",
        ids.show(ids.ORDER, ids.new()),
        "Spring?50",
        "nul\0",
        "ex%le",
        "ex_mple",
        "_" * 600,
    ):
        answer = client.get(LIST, {"q": term})
        assert (answer.status_code, listed(answer)) == (200, []), term
        assert "Nothing found" in text(answer)


def test_a_search_stays_within_the_state_that_is_looked_at(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        [wanted] = many(given, customer, service, 1, request_id="mine")
    client = customer_login(customer)
    for term in (ids.show(ids.ORDER, wanted), "mine", "example.com"):
        assert listed(client.get(LIST, {"q": term, "state": "pending"})) == shown([wanted])
        assert listed(client.get(LIST, {"q": term, "state": "partial"})) == []


def test_a_search_looks_at_so_many_orders_and_goes_on_from_there(
    customer_login: Login,
    customer: Customer,
    service: ServiceId,
    stored: Stored,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("panelry.web.dashboard.history.LOOKED_AT", 10)
    with stored() as given:
        found = many(given, customer, service, 2, link="https://found.example/")
        others = many(given, customer, service, 25)
        newest = many(given, customer, service, 1, link="https://found.example/new")
    client = customer_login(customer)
    first = client.get(LIST, {"q": "found.example"})
    assert listed(first) == shown(newest)
    assert "1 order found since" in text(first)
    second = client.get(links(first)["Search older orders"])
    assert listed(second) == []
    assert "no link since" in text(second)
    [on] = re.findall(r'rel="next" href="([^"]*)"', second.content.decode())
    third = client.get(LIST + on.replace("&amp;", "&"))
    assert listed(third) == shown(found)
    assert set(links(third)) == {"Newest"}
    assert len(others) == 25


def test_a_search_that_finds_more_than_a_page_has_another(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        found = many(given, customer, service, 27, link="https://found.example/a&b")
    client = customer_login(customer)
    first = client.get(LIST, {"q": "a&b"})
    assert listed(first) == shown(found[:25])
    assert listed(client.get(links(first)["Older"])) == shown(found[25:])


def test_what_was_searched_for_is_only_text(customer_login: Login, customer: Customer) -> None:
    answer = customer_login(customer).get(LIST, {"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in answer.content.decode()
    assert "&lt;script&gt;" in answer.content.decode()


def test_a_drip_feed_is_one_line_without_its_runs(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        given.conn.execute("UPDATE services SET dripfeed = true WHERE id = %s", [service])
        [placed] = orders.place(
            given.conn, [draft(customer, service, runs="2", interval="5", link="https://d.example/")]
        )
        assert isinstance(placed, orders.Placed)
        orders.make_runs(given.conn)
    client = customer_login(customer)
    for query in ("", "?oldest=1", "?q=d.example", "?state=pending", "?state=in_progress"):
        assert set(listed(client.get(LIST + query))) <= set(shown([placed.order_id]))
    assert listed(client.get(LIST)) == shown([placed.order_id])
    assert "All 1 Pending" in text(client.get(LIST))


def test_every_page_costs_the_same_few_queries(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        every = many(given, customer, service, 60)
    client = customer_login(customer)
    for query in ("", f"?older={ids.show(ids.ORDER, every[30])}", "?oldest=1", "?state=pending"):
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST + query)
        assert len(queries) <= 6


@pytest.mark.parametrize(
    "query", ["", "?older={}", "?newer={}", "?oldest=1", "?state=pending", "?state=pending&older={}"]
)
def test_no_page_reads_the_orders_that_it_does_not_show(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored, query: str
) -> None:
    with stored() as given:
        [order, *_] = many(given, customer, service, 3)
    client = customer_login(customer)
    with CaptureQueriesContext(connection) as queries:
        client.get(LIST + query.format(ids.show(ids.ORDER, order)))
    lists = [one["sql"] for one in queries if 'FROM "orders"' in one["sql"]]
    assert lists
    for sql in lists:
        plan = plan_at_size(sql)
        assert "Sort" not in plan, plan
        assert re.search(r"Index Scan (Backward )?using orders_(pkey|by_state)", plan), plan


def test_a_person_without_an_account_has_no_orders(client: Client, pages: None) -> None:
    user = get_user_model().objects.create(email=f"{ids.new().hex}@example.com", is_staff=True)
    assert signed_in(client, user.email).get(LIST).status_code == 404


def test_a_stranger_is_asked_to_sign_in(client: Client) -> None:
    assert client.get(LIST)["Location"].startswith("/sign-in/")


def test_a_cancelled_order_moves_from_one_state_to_the_other(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        [order] = many(given, customer, service, 1)
        orders.cancel(given.conn, [(customer.account, order)], actor=CUSTOMER)
    client = customer_login(customer)
    assert listed(client.get(f"{LIST}?state={OrderState.CANCELLED}")) == shown([order])
    assert listed(client.get(f"{LIST}?state={OrderState.PENDING}")) == []
