"""Which language a page speaks, and how its reader changes it."""

import pytest
from browsers import Login
from django.test import Client

from given import Customer


def test_a_personal_page_speaks_the_language_of_its_readers_browser(client: Client) -> None:
    answer = client.get("/sign-in/", headers={"accept-language": "ar-EG,ar;q=0.9"})
    assert '<html lang="ar" dir="rtl">' in answer.content.decode()
    assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))


def test_a_chosen_language_wins_over_the_browsers_and_stays(client: Client) -> None:
    answer = client.post("/language/", {"language": "tr", "next": "/sign-in/?next=/dashboard/"})
    assert answer["Location"] == "/sign-in/?next=/dashboard/"
    page = client.get("/sign-in/", headers={"accept-language": "ar"})
    assert '<html lang="tr" dir="ltr">' in page.content.decode()


def test_a_public_page_speaks_the_language_of_its_address_whatever_was_chosen(client: Client) -> None:
    client.post("/language/", {"language": "ar", "next": "/"})
    assert client.get("/no/such/page/")["Content-Language"] == "en"
    assert client.get("/tr/no/such/page/")["Content-Language"] == "tr"


@pytest.mark.parametrize(
    ("page", "language", "there"),
    [
        ("/services/?q=a", "tr", "/tr/services/?q=a"),
        ("/tr/services/", "ar", "/ar/services/"),
        ("/ar/", "en", "/"),
        ("/", "ar", "/ar/"),
        ("/dashboard/orders/", "ar", "/dashboard/orders/"),
    ],
)
def test_changing_the_language_leads_to_the_same_page(
    client: Client, page: str, language: str, there: str
) -> None:
    assert client.post("/language/", {"language": language, "next": page})["Location"] == there


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)", ""]
)
def test_changing_the_language_never_leads_elsewhere(client: Client, elsewhere: str) -> None:
    assert client.post("/language/", {"language": "tr", "next": elsewhere})["Location"] == "/tr/"


def test_a_language_that_we_do_not_speak_is_not_remembered(client: Client) -> None:
    answer = client.post("/language/", {"language": "xx", "next": "/"})
    assert (answer.status_code, "django_language" in answer.cookies) == (400, False)


def test_who_comes_by_a_page_in_a_language_signs_in_in_it(client: Client) -> None:
    for page, code in (("/tr/", "tr"), ("/ar/services/", "ar"), ("/", "en")):
        client.get(page)
        assert (
            f'<html lang="{code}"'
            in client.get("/sign-in/", headers={"accept-language": "tr"}).content.decode()
        )


def test_who_has_chosen_keeps_the_choice_while_reading_in_another(client: Client) -> None:
    client.post("/language/", {"language": "en", "next": "/"})
    client.get("/tr/")
    assert '<html lang="en"' in client.get("/sign-in/").content.decode()


def test_every_page_offers_every_language(customer_login: Login, customer: Customer, client: Client) -> None:
    for page in (client.get("/sign-in/"), customer_login(customer).get("/dashboard/")):
        for name in ("English", "Türkçe", "العربية"):
            assert name in page.content.decode()


def test_a_form_that_does_not_say_where_it_was_leads_back_there(client: Client) -> None:
    page = {"referer": "http://localhost/office/admin/schema/order/?p=2"}
    answer = client.post("/language/", {"language": "tr"}, headers=page)
    assert answer["Location"] == "/office/admin/schema/order/?p=2"
    elsewhere = {"referer": "https://evil.example/office/"}
    assert client.post("/language/", {"language": "tr"}, headers=elsewhere)["Location"] == "/tr/"


@pytest.mark.parametrize(
    ("page", "own"), [("/pricing/", "/pricing/"), ("/tr/pricing/?x=1", "/tr/pricing/"), ("/ar/", "/ar/")]
)
def test_a_public_page_names_its_address_and_those_of_its_other_languages(
    client: Client, page: str, own: str
) -> None:
    head = client.get(page).content.decode().partition("</head>")[0]
    assert f'<link rel="canonical" href="http://localhost{own}">' in head
    bare = own.removeprefix("/tr").removeprefix("/ar")
    for language, there in [("en", bare), ("tr", "/tr" + bare), ("ar", "/ar" + bare), ("x-default", bare)]:
        assert f'<link rel="alternate" hreflang="{language}" href="http://localhost{there}">' in head


def test_a_public_page_needs_no_cookie(client: Client) -> None:
    assert not client.get("/pricing/").cookies


def test_what_a_page_was_asked_by_leads_back_to_it_and_stands_nowhere_in_it(client: Client) -> None:
    page = {"referer": "http://localhost/services/?q=a"}
    answer = client.post("/language/", {"language": "tr", "next": "/services/"}, headers=page)
    assert answer["Location"] == "/tr/services/?q=a"
    assert b"pnl_secret" not in client.get("/?key=pnl_secret").content


@pytest.mark.parametrize(
    "path", ["/brand/mark/00aa88.svg", "/favicon.ico", "/robots.txt", "/llms.txt", "/sitemap.xml"]
)
def test_what_a_page_brings_along_is_not_what_was_read_last(client: Client, path: str) -> None:
    client.get("/tr/")
    client.get(path)
    assert '<html lang="tr"' in client.get("/sign-in/").content.decode()
