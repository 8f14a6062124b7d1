"""Anybody can write to the operator, a few times an hour; staff get a letter."""

import pytest
from browsers import Stored, text
from django.contrib.auth import get_user_model
from django.test import Client

from panelry.web.site import contact
from panelry.web.site.contact import LONGEST_TEXT, MOST_FROM_ONE

WRITTEN = {"subject": "api", "name": "Ada", "email": "ada@example.com", "text": "Which limits do I have?"}


@pytest.fixture
def network(client: Client) -> Client:
    """Return a browser in a network that nobody wrote from yet."""
    from panelry.domain import ids

    number = ids.new().int
    client.defaults["REMOTE_ADDR"] = f"10.{number % 250}.{number // 250 % 250}.{number // 62_500 % 250}"
    return client


def stored_messages(email: str = WRITTEN["email"]) -> list[tuple[str, str, str, str]]:
    from panelry.web.content.models import Message

    found = Message.objects.filter(email=email).order_by("-id")
    return list(found.values_list("subject", "name", "text", "language"))


def test_a_message_is_stored_and_every_one_of_the_staff_gets_a_letter(
    network: Client, stored: Stored
) -> None:
    with stored() as given:
        readers = [given.customer().email, given.customer().email]
    users = get_user_model().objects
    users.filter(is_staff=True).update(is_staff=False)
    users.filter(email__in=readers).update(is_staff=True)
    before = len(stored_messages())
    answer = network.post(
        "/tr/contact/", WRITTEN | {"text": "Line one\r\nline two, long enough"}, follow=True
    )
    assert answer.redirect_chain == [("/tr/contact/sent/", 302)]
    assert len(stored_messages()) == before + 1
    assert stored_messages()[0] == ("api", "Ada", "Line one\nline two, long enough", "tr")
    with stored() as given:
        letters = given.conn.execute(
            "SELECT recipient, data->>'email', data->>'text' FROM letters WHERE template = 'message_received'"
            " AND recipient = ANY (%s)",
            [readers],
        ).fetchall()
    assert sorted(letters) == sorted(
        (reader, "ada@example.com", "Line one\nline two, long enough") for reader in readers
    )


def test_reading_the_form_sets_no_cookie_and_needs_no_token(network: Client) -> None:
    assert not network.get("/contact/").cookies
    strict = Client(
        HTTP_HOST="localhost", enforce_csrf_checks=True, REMOTE_ADDR=network.defaults["REMOTE_ADDR"]
    )
    assert strict.post("/contact/", WRITTEN).status_code == 302


@pytest.mark.parametrize(
    ("language", "wrong", "said"),
    [
        ("", {"email": ""}, "Enter the address that we answer to."),
        ("", {"email": "nonsense"}, "Enter an e-mail address such as name@example.com."),
        ("", {"email": "a@b.example\nBcc: c@d.example"}, "Enter an e-mail address"),
        ("", {"text": ""}, "Write what this is about."),
        ("", {"text": "short"}, "at least 10 characters"),
        ("", {"text": "x" * (LONGEST_TEXT + 1)}, "at most 5000 characters"),
        ("", {"name": "x" * 101}, "100"),
        ("", {"subject": "bribes"}, "bribes"),
        ("", {"text": "\x00" * 20}, "Null"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_stored(
    network: Client, language: str, wrong: dict[str, str], said: str
) -> None:
    before = stored_messages()
    answer = network.post(f"{language}/contact/", WRITTEN | wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in text(answer)
    [field] = wrong
    assert f'aria-describedby="{field}-error"' in page
    assert stored_messages() == before


def test_what_was_typed_stays_in_the_form(network: Client) -> None:
    page = network.post(
        "/contact/", WRITTEN | {"email": "x", "text": "<b>Where</b> is my order?"}
    ).content.decode()
    assert "&lt;b&gt;Where&lt;/b&gt; is my order?" in page
    assert 'value="Ada"' in page
    assert '<option value="api" selected>' in page


def test_a_program_that_fills_in_everything_is_thanked_for_nothing(network: Client) -> None:
    before = stored_messages()
    answer = network.post("/contact/", WRITTEN | {"website": "https://spam.example"})
    assert (answer.status_code, answer["Location"]) == (302, "/contact/sent/")
    assert stored_messages() == before


def test_a_form_on_another_site_is_refused(network: Client) -> None:
    before = stored_messages()
    for origin in ("https://evil.example", "null"):
        answer = network.post("/contact/", WRITTEN, headers={"Origin": origin})
        assert answer.status_code == 403
    assert stored_messages() == before
    assert network.post("/contact/", WRITTEN, headers={"Origin": "http://localhost"}).status_code == 302


def test_one_network_writes_a_few_times_an_hour(network: Client) -> None:
    for _ in range(MOST_FROM_ONE):
        assert network.post("/contact/", WRITTEN).status_code == 302
    before = stored_messages()
    answer = network.post("/contact/", WRITTEN)
    assert answer.status_code == 429
    assert "Too many messages came from your network." in text(answer)
    assert "Which limits do I have?" in answer.content.decode()
    assert stored_messages() == before
    network.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert network.post("/contact/", WRITTEN).status_code == 302


def test_all_networks_together_have_a_limit_too(network: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact, "MOST_FROM_ALL", 0)
    assert network.post("/contact/", WRITTEN).status_code == 429


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2:3::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_origin_is_an_address_or_a_network_of_64_bits_and_cannot_be_read(
    pages: None, one: str, other: str, *, is_same: bool
) -> None:
    from django.test import RequestFactory

    digests = [contact._origin(RequestFactory().get("/", REMOTE_ADDR=address)) for address in (one, other)]
    assert (digests[0] == digests[1]) is is_same
    assert all(len(digest) == 64 for digest in digests)
