"""Amounts, counts and dates as each language writes them; identifiers as nobody's language changes them."""

from datetime import UTC, datetime, timedelta

import pytest
from browsers import Login, Stored
from django.test import Client
from django.utils import translation

from given import Customer
from panelry import clock
from panelry.domain import accounts
from panelry.web.words import ago, counted, priced

pytestmark = pytest.mark.usefixtures("pages")
PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    ("language", "amount", "debt", "count"),
    [
        ("en", "$1,234.278", "−$12.80", "12,500"),  # noqa: RUF001 (a true minus sign)
        ("tr", "$1.234,278", "−$12,80", "12.500"),  # noqa: RUF001
        ("ar", "$1,234.278", "−$12.80", "12,500"),  # noqa: RUF001
    ],
)
def test_figures_are_written_as_the_language_writes_them(
    language: str, amount: str, debt: str, count: str
) -> None:
    with translation.override(language):
        assert (priced(1_234_278_000), priced(-12_800_000), counted(12_500)) == (amount, debt, count)


@pytest.mark.parametrize(
    ("language", "written"), [("en", "5 Jan 2026"), ("tr", "5 Ocak 2026"), ("ar", "5 يناير 2026")]
)
def test_a_date_names_its_month_in_the_language_with_latin_digits(language: str, written: str) -> None:
    with translation.override(language):
        assert ago(datetime(2026, 1, 5, 12, tzinfo=UTC)) == written


def test_a_time_since_then_is_counted_in_the_largest_unit_that_fits() -> None:
    now = clock.now()
    spans = {
        timedelta(seconds=3): "just now",
        timedelta(minutes=1): "1 min ago",
        timedelta(hours=5): "5 h ago",
        timedelta(days=1): "1 day ago",
        timedelta(days=6): "6 days ago",
    }
    with translation.override("en"):
        for span, written in spans.items():
            assert ago(now - span) == written


@pytest.mark.parametrize("language", ["en", "tr", "ar"])
def test_an_address_with_a_capital_i_signs_in_in_every_language(
    client: Client, stored: Stored, language: str
) -> None:
    with stored() as given:
        accounts.create(given.conn, f"info.{language}.istanbul@example.com", password=PASSWORD)
    client.post("/language/", {"language": language, "next": "/"})
    form = {"login": f"INFO.{language.upper()}.ISTANBUL@EXAMPLE.COM", "password": PASSWORD}
    assert client.post("/sign-in/", form)["Location"] == "/dashboard/"


@pytest.mark.parametrize("language", ["tr", "ar"])
def test_ids_and_addresses_are_the_same_in_every_language(
    customer_login: Login, customer: Customer, language: str
) -> None:
    client = customer_login(customer)
    client.post("/language/", {"language": language, "next": "/"})
    page = client.get("/dashboard/keys/").content.decode()
    assert customer.key[:12] in page
    assert customer.email in page
