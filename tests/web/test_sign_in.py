"""Who may come in, and how."""

import re
from uuid import uuid4

from browsers import Stored
from django.test import Client

from panelry.domain import accounts

PASSWORD = "correct horse battery"


def person(stored: Stored) -> str:
    email = f"{uuid4().hex}@example.com"
    with stored() as given:
        accounts.create(given.conn, email, password=PASSWORD)
    return email


def test_a_stranger_is_sent_to_the_sign_in_page(client: Client) -> None:
    answer = client.get("/dashboard/", follow=True)
    assert answer.redirect_chain[-1][0] == "/sign-in/?next=/dashboard/"
    assert "Sign in" in answer.content.decode()


def test_the_password_that_the_operator_gave_opens_the_dashboard(client: Client, stored: Stored) -> None:
    answer = client.post("/sign-in/", {"login": person(stored), "password": PASSWORD}, follow=True)
    assert answer.redirect_chain == [("/dashboard/", 302)]


def test_a_wrong_password_is_told_in_plain_words_and_opens_nothing(client: Client, stored: Stored) -> None:
    answer = client.post("/sign-in/", {"login": person(stored), "password": "not the one"})
    assert "The e-mail address or the password is not right." in answer.content.decode()
    assert client.get("/dashboard/").status_code == 302


def test_guessing_is_slowed_down(client: Client, stored: Stored) -> None:
    email = person(stored)
    for _ in range(5):
        client.post("/sign-in/", {"login": email, "password": "not the one"})
    answer = client.post("/sign-in/", {"login": email, "password": PASSWORD})
    assert "Too many attempts" in answer.content.decode()
    assert client.get("/dashboard/").status_code == 302


def test_nobody_makes_an_account_for_themselves(client: Client) -> None:
    form = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}
    assert "Sign-up is closed" in client.post("/sign-up/", form).content.decode()


def test_signing_out_ends_the_session(client: Client, stored: Stored) -> None:
    client.post("/sign-in/", {"login": person(stored), "password": PASSWORD})
    assert client.get("/sign-out/").status_code == 200
    client.post("/sign-out/")
    assert client.get("/dashboard/").status_code == 302


def test_a_page_that_does_not_exist_is_ours_too(client: Client) -> None:
    answer = client.get("/no/such/page/")
    assert (answer.status_code, "No such page" in answer.content.decode()) == (404, True)


def test_pages_load_nothing_but_our_own_files(client: Client) -> None:
    answer = client.get("/sign-in/")
    policy = answer["Content-Security-Policy"]
    [nonce] = set(re.findall(r"'nonce-([\w-]{22})'", policy))
    assert f"script-src 'self' 'nonce-{nonce}';" in policy
    assert nonce not in client.get("/sign-in/")["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "style=" not in answer.content.decode()


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(client: Client, stored: Stored) -> None:
    answer = client.post("/sign-in/", {"login": person(stored), "password": PASSWORD})
    session = answer.cookies["panelry_session"]
    assert (session["httponly"], session["samesite"]) == (True, "Lax")


def test_style_sheets_are_served_from_where_they_are_installed(client: Client) -> None:
    answer = client.get("/static/panelry/tokens.css")
    assert (answer.status_code, answer["Content-Type"]) == (200, 'text/css; charset="utf-8"')
    again = client.get("/static/panelry/tokens.css", HTTP_IF_NONE_MATCH=answer["ETag"])
    assert (again.status_code, again.content) == (304, b"")
