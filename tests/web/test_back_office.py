"""The back office reads; it is for staff, and nothing can be written through it."""

import re

import pytest
from browsers import Login, Stored, plan_at_size, text
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from given import Customer, Given, draft
from panelry.domain import ids, orders
from panelry.domain.catalog import ServiceId

LISTS = ("order", "submission", "transfer", "service", "category", "provider", "account", "user", "apikey")
OFFICE = "/office/admin/"


def stock(given: Given, customer: Customer) -> str:
    """Have something in every list; return the order's id."""
    provider = given.provider()
    order = given.placed(customer, given.service(provider))
    given.accepted(provider)
    return ids.show(ids.ORDER, order)


def listing(staff: Client, question: str) -> str:
    """Return the query that reads the rows of a list."""
    with CaptureQueriesContext(connection) as queries:
        answer = staff.get(OFFICE + "schema/" + question)
    assert answer.status_code == 200
    table = question.partition("/")[0] + "s"
    [sql] = [one["sql"] for one in queries if f'FROM "{table}"' in one["sql"]]
    return str(sql)


@pytest.mark.parametrize("name", LISTS)
def test_staff_read_every_list(staff: Client, customer: Customer, stored: Stored, name: str) -> None:
    with stored() as given:
        stock(given, customer)
    answer = staff.get(f"{OFFICE}schema/{name}/")
    assert answer.status_code == 200
    assert "result_list" in answer.content.decode()


def test_the_office_begins_with_orders(staff: Client) -> None:
    answer = staff.get("/office/", follow=True)
    assert (answer.status_code, answer.redirect_chain[-1][0]) == (200, f"{OFFICE}schema/order/")


def test_a_stranger_is_sent_to_our_sign_in_page(client: Client) -> None:
    answer = client.get(f"{OFFICE}schema/order/", follow=True)
    assert answer.redirect_chain[-1][0] == "/sign-in/?next=/office/admin/schema/order/"


def test_a_customer_is_turned_away(customer_login: Login, customer: Customer) -> None:
    client = customer_login(customer)
    for path in ("/office/", OFFICE, *(f"{OFFICE}schema/{name}/" for name in LISTS)):
        assert client.get(path, follow=True).status_code == 403


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("page", ["add/", "{}/change/", "{}/delete/", "{}/history/", ""])
def test_nothing_can_be_written(staff: Client, customer: Customer, name: str, page: str) -> None:
    path = f"{OFFICE}schema/{name}/" + page.format(customer.account)
    form = {
        "action": "delete_selected",
        "_selected_action": str(customer.account),
        "post": "yes",
        "_save": "1",
    }
    assert staff.post(path, form).status_code == 403


def test_not_even_a_password_is_changed_here(staff: Client) -> None:
    assert staff.post(f"{OFFICE}password_change/", {}).status_code == 403


def test_a_providers_key_never_leaves(staff: Client, stored: Stored) -> None:
    with stored() as given:
        given.provider()
    with CaptureQueriesContext(connection) as queries:
        page = staff.get(f"{OFFICE}schema/provider/").content.decode()
    assert "sealed" not in page + " ".join(query["sql"] for query in queries)


@pytest.mark.parametrize(
    "question",
    [
        "provider/?sealed_key__gt=0",
        "user/?password__startswith=argon2",
        "account/?users__password__startswith=argon2",
        "order/?account__users__password__startswith=argon2",
        "order/?provider__sealed_key__gt=0",
        "apikey/?digest__gt=0",
    ],
)
def test_no_secret_can_be_guessed_by_filtering(staff: Client, question: str) -> None:
    assert staff.get(f"{OFFICE}schema/{question}").status_code == 400


def test_lists_are_filtered_by_provider(staff: Client, customer: Customer, stored: Stored) -> None:
    with stored() as given:
        wanted = stock(given, customer)
        [provider] = given.conn.execute(
            "SELECT provider_id FROM orders WHERE account_id = %s", [customer.account]
        ).fetchall()[0]
    page = staff.get(f"{OFFICE}schema/order/?provider__id__exact={provider}").content.decode()
    assert wanted in page
    assert page.count('title="ord_') == 1


def test_an_order_is_found_by_its_id_and_its_owners_address(
    staff: Client, customer: Customer, service: ServiceId, stored: Stored
) -> None:
    with stored() as given:
        wanted = stock(given, customer)
        other = stock(given, given.customer("10"))
    for term in (wanted, ids.show(ids.ACCOUNT, customer.account), customer.email.upper()):
        page = staff.get(f"{OFFICE}schema/order/", {"q": term}).content.decode()
        assert wanted in page
        assert other not in page
    assert wanted not in staff.get(f"{OFFICE}schema/order/", {"q": "nonsense"}).content.decode()


def test_lists_are_filtered_by_state(staff: Client, customer: Customer, stored: Stored) -> None:
    with stored() as given:
        wanted = ids.show(ids.ORDER, given.placed(customer, given.service()))
    assert wanted in staff.get(f"{OFFICE}schema/order/?state=pending").content.decode()
    assert wanted not in staff.get(f"{OFFICE}schema/order/?state=partial").content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_few_queries_however_long_it_is(
    staff: Client, stored: Stored, name: str
) -> None:
    counts = []
    for _ in range(2):
        with stored() as given:
            for _ in range(3):
                stock(given, given.customer("10"))
        with CaptureQueriesContext(connection) as queries:
            staff.get(f"{OFFICE}schema/{name}/")
        counts.append(len([one for one in queries if "branding" not in one["sql"]]))  # read now and then
    assert counts[0] == counts[1] <= 8


@pytest.mark.parametrize(
    "question",
    [
        "order/",
        "order/?p=7",
        "order/?state=partial",
        "submission/",
        "submission/?p=7",
        "submission/?state=unknown",
        "transfer/",
    ],
)
def test_no_list_that_grows_is_read_as_a_whole(
    staff: Client, customer: Customer, stored: Stored, question: str
) -> None:
    with stored() as given:
        stock(given, customer)
    plan = plan_at_size(listing(staff, question))
    assert "Seq Scan on " + question.partition("/")[0] not in plan, plan
    assert not re.search(r"(?<!Incremental )Sort  ", plan), plan


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("order", "events_pkey"),
        ("transfer", "transfers_of_an_order"),
        ("submission", "submission_is_the_only_live_one"),
    ],
)
def test_an_orders_rows_are_found_by_an_index(
    staff: Client, customer: Customer, stored: Stored, name: str, index: str
) -> None:
    with stored() as given:
        wanted = stock(given, customer)
    sql = listing(staff, f"{name}/?q={wanted}")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        cursor.execute("EXPLAIN " + sql)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(rf"Bitmap Index Scan on {index}", plan), plan
    assert "Seq Scan on " + name not in plan, plan


def test_lists_end_before_skipping_rows_takes_long(staff: Client) -> None:
    assert staff.get(f"{OFFICE}schema/order/?p=1000").status_code == 200
    assert staff.get(f"{OFFICE}schema/order/?p=1001")["Location"].endswith("?e=1")


def test_links_in_lists_are_only_text(staff: Client, customer: Customer, stored: Stored) -> None:
    with stored() as given:
        orders.place(
            given.conn, [draft(customer, given.service(), link="https://example.com/<script>x</script>")]
        )
    page = staff.get(f"{OFFICE}schema/order/", {"q": customer.email}).content.decode()
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_inline_code_is_allowed_in_the_admin_alone(staff: Client) -> None:
    assert "unsafe-inline" in staff.get(f"{OFFICE}schema/order/")["Content-Security-Policy"]
    assert "unsafe" not in staff.get("/dashboard/")["Content-Security-Policy"]


def test_signing_out_of_the_office_ends_the_session(staff: Client) -> None:
    staff.post(f"{OFFICE}logout/")
    assert "Sign in" in text(staff.get("/office/", follow=True))
