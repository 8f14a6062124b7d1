"""Ordering by the form: the same operation as behind every other door, and no order twice."""

import re

import pytest
from browsers import Login, Stored, request_id, text
from django.http import HttpResponse
from django.test import Client

from given import Customer, Given, draft, upstream_service
from panelry.domain import ids, money, orders
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import Placed

LINK = "https://example.com/post"


def order(client: Client, service_id: ServiceId, **fields: object) -> HttpResponse:
    form = {
        "service": service_id,
        "link": LINK,
        "quantity": 100,
        "request_id": request_id(client.get("/dashboard/")),
    }
    return client.post("/dashboard/", form | fields)


def account_of(given: Given, customer: Customer) -> tuple[int, str]:
    """Count the customer's orders and say what the wallet holds."""
    [count] = given.conn.execute(
        "SELECT count(*) FROM orders WHERE account_id = %s", [customer.account]
    ).fetchall()[0]
    return count, money.text(given.balance(customer))


def test_an_order_is_placed_charged_and_named(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    client = customer_login(customer)
    answer = order(client, service)
    assert (answer.status_code, answer["Location"]) == (302, "/dashboard/")
    with stored() as given:
        assert account_of(given, customer) == (1, "99.75")
        [id_] = given.conn.execute(
            "SELECT id FROM orders WHERE account_id = %s", [customer.account]
        ).fetchall()[0]
    page = text(client.get("/dashboard/"))
    assert f"Order {ids.show(ids.ORDER, id_)} is placed." in page
    assert "$99.75" in page


def test_a_form_sent_twice_orders_once(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    client = customer_login(customer)
    twice = request_id(client.get("/dashboard/"))
    order(client, service, request_id=twice)
    order(client, service, request_id=twice)
    assert "nothing was charged again" in text(client.get("/dashboard/"))
    with stored() as given:
        assert account_of(given, customer) == (1, "99.75")


def test_each_page_carries_a_form_of_its_own(
    customer_login: Login, customer: Customer, service: ServiceId
) -> None:
    client = customer_login(customer)
    assert request_id(client.get("/dashboard/")) != request_id(client.get("/dashboard/"))


def test_the_form_and_another_door_with_the_same_request_id_are_one_order(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    client = customer_login(customer)
    order(client, service, quantity="0100", request_id="from both doors")
    with stored() as given:
        [placed] = orders.place(given.conn, [draft(customer, service, request_id="from both doors")])
        assert isinstance(placed, Placed)
        assert placed.replayed
        assert account_of(given, customer) == (1, "99.75")


def test_another_door_and_then_the_form_are_one_order(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        orders.place(given.conn, [draft(customer, service, request_id="from both doors")])
    order(customer_login(customer), service, request_id="from both doors")
    with stored() as given:
        assert account_of(given, customer) == (1, "99.75")


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"quantity": "9"}, "quantity", "The smallest order of this service is 10, the largest 5,000."),
        ({"quantity": "5001"}, "quantity", "The smallest order of this service is 10, the largest 5,000."),
        ({"quantity": "ten"}, "quantity", "Enter a whole number above zero."),
        ({"quantity": "9" * 400}, "quantity", "The smallest order of this service is 10, the largest 5,000."),
        ({"quantity": " "}, "quantity", "This is needed."),
        ({"link": ""}, "link", "This is needed."),
        ({"link": "example.com"}, "link", "Enter a full address"),
        ({"link": "https://example.com/\x00"}, "link", "Enter a full address"),
        ({"link": LINK + "x" * 1000}, "link", "A link has at most 1,000 characters."),
        ({"service": ""}, "service", "This is needed."),
        ({"service": "2147483647"}, "service", "This service is not on sale any more."),
        ({"service": "9" * 30}, "service", "This service is not on sale any more."),
        ({"service": "nonsense"}, "service", "This service is not on sale any more."),
    ],
)
def test_a_refusal_stands_beside_its_field_and_costs_nothing(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored, fields: dict[str, str], field: str,
    sentence: str,
) -> None:  # fmt: skip
    answer = order(customer_login(customer), service, **fields)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'aria-describedby="{field}-error"' in page
    assert sentence in text(answer)
    assert page.count('aria-invalid="true"') == 1
    with stored() as given:
        assert account_of(given, customer) == (0, "100.00")


def test_what_was_typed_is_still_there_after_a_refusal(
    customer_login: Login, customer: Customer, service: ServiceId
) -> None:
    client = customer_login(customer)
    sent = request_id(client.get("/dashboard/"))
    answer = order(client, service, quantity="9", request_id=sent)
    page = answer.content.decode()
    assert f'<option value="{service}" selected>' in page
    assert f'value="{LINK}"' in page
    assert 'value="9"' in page
    assert request_id(answer) == sent


def test_a_wallet_that_holds_too_little_is_told_beside_the_button(
    customer_login: Login, customer: Customer, stored: Stored
) -> None:
    with stored() as given:
        dear = given.service(rate="5000.00")
    answer = order(customer_login(customer), dear)
    assert "The wallet holds less than this order costs." in text(answer)
    with stored() as given:
        assert account_of(given, customer) == (0, "100.00")


def test_a_form_that_placed_an_order_says_so_before_it_places_another(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    client = customer_login(customer)
    used = request_id(client.get("/dashboard/"))
    order(client, service, request_id=used)
    answer = order(client, service, quantity=200, request_id=used)
    assert "Press the button again to place this one too." in text(answer)
    fresh = request_id(answer)
    assert fresh != used
    assert order(client, service, quantity=200, request_id=fresh).status_code == 302
    with stored() as given:
        assert account_of(given, customer) == (2, "99.25")


def sold(given: Given, type_: str, minimum: int, maximum: int) -> ServiceId:
    """Put one service of a type on sale at 75.00."""
    row = upstream_service(type_=type_, rate="75.00", minimum=minimum, maximum=maximum, name=type_)
    return given.services(None, [row])[0]


def test_only_what_needs_a_link_and_a_quantity_is_offered(
    customer_login: Login, customer: Customer, stored: Stored
) -> None:
    with stored() as given:
        package, poll = sold(given, "Package", 1, 1), sold(given, "Poll", 10, 1000)
    page = customer_login(customer).get("/dashboard/").content.decode()
    assert f'<option value="{package}">{package} · Package · $75.00 each · a package of 1</option>' in page
    assert f'<option value="{poll}"' not in page


def test_a_package_needs_no_quantity_and_is_charged_once(
    customer_login: Login, customer: Customer, stored: Stored
) -> None:
    with stored() as given:
        package = sold(given, "Package", 1, 1)
    assert order(customer_login(customer), package, quantity="").status_code == 302
    with stored() as given:
        assert account_of(given, customer) == (1, "25.00")


def test_what_the_form_cannot_order_costs_nothing(
    customer_login: Login, customer: Customer, stored: Stored
) -> None:
    with stored() as given:
        poll = sold(given, "Poll", 10, 1000)
    assert order(customer_login(customer), poll).status_code == 422
    with stored() as given:
        assert account_of(given, customer) == (0, "100.00")


@pytest.mark.parametrize("damaged", ["", "x" * 129, "null \x00 byte"])
def test_a_damaged_request_id_orders_nothing_and_is_replaced(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored, damaged: str
) -> None:
    answer = order(customer_login(customer), service, request_id=damaged)
    assert (answer.status_code, len(request_id(answer))) == (422, 32)
    with stored() as given:
        assert account_of(given, customer) == (0, "100.00")


def test_a_suspended_account_sees_and_does_not_order(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    client = customer_login(customer)
    form = {
        "service": service,
        "link": LINK,
        "quantity": 100,
        "request_id": request_id(client.get("/dashboard/")),
    }
    with stored() as given:
        given.conn.execute("UPDATE accounts SET state = 'suspended' WHERE id = %s", [customer.account])
    answer = client.post("/dashboard/", form)
    assert "This account is suspended" in text(answer)
    assert "<select" not in answer.content.decode()
    with stored() as given:
        assert account_of(given, customer) == (0, "100.00")


def test_a_form_from_another_site_is_refused(
    customer: Customer, customer_login: Login, service: ServiceId, stored: Stored
) -> None:
    customer_login(customer).handler.enforce_csrf_checks = True
    client = customer_login(customer)
    assert order(client, service, request_id="forged").status_code == 403
    with stored() as given:
        assert account_of(given, customer) == (0, "100.00")


def test_the_form_shows_the_prices_of_ones_own_tier(
    customer_login: Login, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        given.discount(customer, "3")
    client = customer_login(customer)
    assert re.search(rf"\b{service} · .* · \$2.425 per 1,000", text(client.get("/dashboard/")))
    order(client, service, quantity=1_000)
    with stored() as given:
        assert account_of(given, customer) == (1, "97.575")
