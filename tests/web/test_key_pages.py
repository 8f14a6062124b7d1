"""The pages of API keys: who sees and changes them, and that a key is shown once and kept nowhere."""

import re
from dataclasses import dataclass
from uuid import uuid4

import pytest
from browsers import Stored, signed_in, text
from django.contrib.auth import get_user_model
from django.http import HttpResponse
from django.test import Client

from panelry.domain import accounts, ids
from panelry.domain.accounts import AccountId, Caller, Key, digest

PASSWORD = "correct horse battery"
KEYS = "/dashboard/keys/"
AGAIN = "/sign-in/again/"
RECORDS = "account_authentication_methods"


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody with a password, a browser that is signed in, and one key."""

    client: Client
    stored: Stored
    account: AccountId
    key: str

    def keys(self) -> list[Key]:
        with self.stored() as given:
            return accounts.keys(given.conn, self.account)

    def page(self, act: str = "") -> str:
        """Return the address of the first key's page."""
        return f"{KEYS}{ids.show(ids.KEY, self.keys()[0].id)}/{act}"

    def works(self, key: str) -> bool:
        with self.stored() as given:
            return isinstance(accounts.identify(given.conn, [digest(key)])[0], Caller)

    def confirm(self, next_: str = KEYS, password: str = PASSWORD) -> HttpResponse:
        return self.client.post(AGAIN, {"password": password, "next": next_})


@pytest.fixture
def stranger(client: Client, stored: Stored) -> Owner:
    """Return somebody who has signed in, and has not given the password again."""
    with stored() as given:
        account = accounts.create(given.conn, f"{uuid4().hex}@example.com", password=PASSWORD)
        key = accounts.create_key(given.conn, account.id, label="shop", per_minute=60).key
    return Owner(signed_in(client, account.email), stored, account.id, key)


@pytest.fixture
def owner(stranger: Owner) -> Owner:
    """Return somebody who has given the password just now."""
    assert stranger.confirm().status_code == 302
    return stranger


def shown_key(answer: HttpResponse) -> str:
    [key] = re.findall(r"pnl_[0-9A-Za-z]{49}", answer.content.decode())
    return str(key)


def form_of(answer: HttpResponse) -> dict[str, str]:
    """Return what the form of a page carries hidden."""
    found = re.findall(r'type="hidden" name="(key|prefix)" value="([^"]*)"', answer.content.decode())
    return dict(found)


def created(owner: Owner, **fields: str) -> HttpResponse:
    hidden = form_of(owner.client.get(f"{KEYS}new/"))
    return owner.client.post(f"{KEYS}new/", hidden | fields)


def test_keys_are_listed_by_what_they_begin_with(stranger: Owner) -> None:
    page = stranger.client.get(KEYS)
    words = text(page)
    assert "shop" in words
    assert f"{stranger.key[:12]}…" in words
    assert "1 of at most 10 keys" in words
    assert "Never" in words
    assert stranger.key not in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_a_key_without_a_limit_of_its_own_shows_the_usual_one(owner: Owner) -> None:
    owner.client.post(owner.page(), {"label": "", "per_minute": ""})
    row = text(owner.client.get(KEYS))
    assert "No label" in row
    assert re.search(r"pnl_\w+… 100 just now", row)


def test_the_overview_leads_to_the_keys(stranger: Owner) -> None:
    assert f'href="{KEYS}"' in stranger.client.get("/dashboard/").content.decode()


@pytest.mark.parametrize("path", ["", "new/", "key_00000000000000000000000000/"])
def test_whoever_has_not_signed_in_does_so_first(client: Client, path: str) -> None:
    answer = client.get(KEYS + path)
    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={KEYS}{path}")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("act", ["new/", "", "rotate/", "revoke/"])
def test_nothing_is_done_before_the_password_is_given_again(stranger: Owner, method: str, act: str) -> None:
    before = stranger.keys()
    path = f"{KEYS}new/" if act == "new/" else stranger.page(act)
    form = {"label": "mine", "per_minute": "5", "prefix": before[0].prefix}
    answer = getattr(stranger.client, method)(path, form)
    assert (answer.status_code, answer["Location"]) == (302, f"{AGAIN}?next={path.replace('/', '%2F')}")
    assert stranger.keys() == before
    assert stranger.confirm(path)["Location"] == path
    assert stranger.keys() == before
    assert stranger.client.get(path).status_code == 200


def test_signing_in_alone_is_not_enough(client: Client, stored: Stored) -> None:
    email = f"{uuid4().hex}@example.com"
    with stored() as given:
        accounts.create(given.conn, email, password=PASSWORD)
    client.post("/sign-in/", {"login": email, "password": PASSWORD})
    assert client.get(KEYS).status_code == 200
    assert AGAIN in client.get(f"{KEYS}new/")["Location"]


def test_a_wrong_password_opens_nothing(stranger: Owner) -> None:
    answer = stranger.confirm(password="not the one here")
    assert "This is not your password." in text(answer)
    assert AGAIN in stranger.client.get(f"{KEYS}new/")["Location"]


def test_guessing_the_password_is_slowed_down(stranger: Owner) -> None:
    for _ in range(5):
        stranger.confirm(password="not the one here")
    assert "Too many attempts" in text(stranger.confirm())
    assert AGAIN in stranger.client.get(f"{KEYS}new/")["Location"]


@pytest.mark.parametrize(("seconds", "status"), [(290, 200), (301, 302)])
def test_a_password_counts_for_five_minutes(owner: Owner, seconds: int, status: int) -> None:
    session = owner.client.session
    session[RECORDS] = [record | {"at": record["at"] - seconds} for record in session[RECORDS]]
    session.save()
    assert owner.client.get(f"{KEYS}new/").status_code == status


def test_a_form_that_was_open_too_long_does_nothing(owner: Owner) -> None:
    hidden = form_of(owner.client.get(owner.page("rotate/")))
    session = owner.client.session
    session[RECORDS] = [record | {"at": record["at"] - 301} for record in session[RECORDS]]
    session.save()
    assert AGAIN in owner.client.post(owner.page("rotate/"), hidden)["Location"]
    owner.confirm(owner.page("rotate/"))
    assert owner.works(owner.key)


def test_a_new_key_is_shown_in_the_answer_and_never_again(owner: Owner) -> None:
    answer = created(owner, label="laptop", per_minute="20")
    key = shown_key(answer)
    assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True)
    assert owner.works(key)
    made = owner.keys()[-1]
    assert (made.prefix, made.label, made.per_minute) == (key[:12], "laptop", 20)
    assert key not in owner.client.get(KEYS).content.decode()


def test_a_form_that_is_sent_again_makes_no_second_key(owner: Owner) -> None:
    form = form_of(owner.client.get(f"{KEYS}new/")) | {"label": "laptop"}
    key = shown_key(owner.client.post(f"{KEYS}new/", form))
    answer = owner.client.post(f"{KEYS}new/", form, follow=True)
    assert answer.redirect_chain == [(KEYS, 302)]
    assert "This key was made already" in text(answer)
    assert (len(owner.keys()), owner.works(key)) == (2, True)


@pytest.mark.parametrize(
    "key", ["", "nonsense", "key_ILLEGAL0000000000000000000", "ord_00000000000000000000000000"]
)
def test_a_form_with_a_damaged_id_still_makes_a_key(owner: Owner, key: str) -> None:
    assert owner.works(shown_key(owner.client.post(f"{KEYS}new/", {"key": key})))


def test_a_key_in_clear_is_in_no_session_no_message_and_no_cookie(owner: Owner) -> None:
    from django.contrib.sessions.models import Session

    new = shown_key(created(owner, label="laptop"))
    path = owner.page("rotate/")
    rotated = shown_key(owner.client.post(path, form_of(owner.client.get(path))))
    kept = [owner.client.cookies.output(), str(dict(owner.client.session))]
    kept += [str(row.get_decoded()) for row in Session.objects.all()]
    pages = [owner.client.get(KEYS).content.decode(), owner.client.get("/dashboard/").content.decode()]
    for secret in (new, rotated, owner.key):
        assert not any(secret[12:] in place for place in kept + pages)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"label": "x" * 101}, "A label is one line of at most 100 characters."),
        ({"label": "two\nlines"}, "A label is one line of at most 100 characters."),
        ({"per_minute": "0"}, "Enter a whole number from 1 to 1,000,000, or nothing."),
        ({"per_minute": "1000001"}, "Enter a whole number from 1 to 1,000,000, or nothing."),
        ({"per_minute": "many"}, "Enter a whole number from 1 to 1,000,000, or nothing."),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_form_stands_in_it(owner: Owner, fields: dict[str, str], words: str) -> None:
    before = owner.keys()
    for answer in (created(owner, **fields), owner.client.post(owner.page(), fields)):
        assert (answer.status_code, words in text(answer)) == (422, True)
    assert owner.keys() == before


def test_what_was_typed_is_still_there_and_only_text(owner: Owner) -> None:
    page = created(owner, label="<b>shop</b>", per_minute="<i>").content.decode()
    assert 'value="&lt;b&gt;shop&lt;/b&gt;"' in page
    assert "<b>shop" not in page


def test_the_eleventh_key_is_refused_in_words(owner: Owner) -> None:
    for _ in range(9):
        assert created(owner).status_code == 200
    answer = created(owner)
    assert (answer.status_code, "10 keys are active" in text(answer)) == (422, True)
    assert len(owner.keys()) == 10
    listed = owner.client.get(KEYS)
    assert "Revoke one to make another." in text(listed)
    assert f"{KEYS}new/" not in listed.content.decode()


def test_a_key_is_renamed_and_limited(owner: Owner) -> None:
    page = owner.client.get(owner.page()).content.decode()
    assert 'value="shop"' in page
    assert 'value="60"' in page
    answer = owner.client.post(owner.page(), {"label": "shop, old", "per_minute": "5"}, follow=True)
    assert "The key shop, old is changed." in text(answer)
    [key] = owner.keys()
    assert (key.label, key.per_minute, owner.works(owner.key)) == ("shop, old", 5, True)


def test_a_rotated_key_is_shown_once_and_a_reload_does_not_rotate_again(owner: Owner) -> None:
    path = owner.page("rotate/")
    form = form_of(owner.client.get(path))
    assert owner.works(owner.key)
    answer = owner.client.post(path, form)
    key = shown_key(answer)
    assert "no-store" in answer["Cache-Control"]
    assert (owner.works(owner.key), owner.works(key)) == (False, True)
    again = owner.client.post(path, form, follow=True)
    assert "This key was rotated already" in text(again)
    assert owner.works(key)
    assert owner.client.post(path, {}).status_code == 302
    assert owner.works(key)


def test_a_key_is_revoked_after_it_was_asked_whether_to(owner: Owner) -> None:
    path = owner.page("revoke/")
    assert "This cannot be undone." in text(owner.client.get(path))
    assert owner.works(owner.key)
    answer = owner.client.post(path, follow=True)
    assert "The key shop is revoked." in text(answer)
    assert "No keys yet" in text(answer)
    assert not owner.works(owner.key)
    assert owner.client.post(path).status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("act", ["", "rotate/", "revoke/"])
def test_a_key_of_another_account_is_not_there(owner: Owner, stored: Stored, method: str, act: str) -> None:
    with stored() as given:
        other = given.customer()
        [theirs] = accounts.keys(given.conn, other.account)
    form = {"label": "mine", "per_minute": "1", "prefix": theirs.prefix}
    path = f"{KEYS}{ids.show(ids.KEY, theirs.id)}/{act}"
    assert getattr(owner.client, method)(path, form).status_code == 404
    with stored() as given:
        assert accounts.keys(given.conn, other.account) == [theirs]
    assert theirs.prefix not in text(owner.client.get(KEYS))
    assert owner.works(other.key)


@pytest.mark.parametrize("path", ["nonsense/", "nonsense/rotate/", "ord_00000000000000000000000000/"])
def test_an_address_of_no_key_is_not_there(owner: Owner, path: str) -> None:
    assert owner.client.get(KEYS + path).status_code == 404


def test_two_people_of_one_account_share_its_keys_and_confirm_each_for_themselves(
    owner: Owner, stored: Stored
) -> None:
    email = f"{uuid4().hex}@example.com"
    with stored() as given:
        colleague = accounts.create(given.conn, email, password=PASSWORD)
    get_user_model().objects.filter(email=email).update(account_id=owner.account)
    assert colleague.id != owner.account
    client = signed_in(Client(HTTP_HOST="localhost"), email)
    assert owner.key[:12] in text(client.get(KEYS))
    assert AGAIN in client.get(owner.page("revoke/"))["Location"]


def test_a_suspended_account_revokes_and_does_nothing_else(owner: Owner) -> None:
    with owner.stored() as given:
        accounts.suspend(given.conn, owner.account)
    page = owner.client.get(KEYS).content.decode()
    assert "This account is suspended" in page
    assert (f"{KEYS}new/" in page, "/rotate/" in page, "/revoke/" in page) == (False, False, True)
    assert created(owner).status_code == 422
    assert owner.client.post(owner.page(), {"label": "x"}).status_code == 422
    form = form_of(owner.client.get(owner.page("rotate/")))
    assert "This account is suspended" in text(owner.client.post(owner.page("rotate/"), form, follow=True))
    assert len(owner.keys()) == 1
    owner.client.post(owner.page("revoke/"))
    assert owner.keys() == []


@pytest.mark.parametrize("act", ["new/", "", "rotate/", "revoke/"])
def test_another_site_cannot_press_the_buttons(owner: Owner, act: str) -> None:
    owner.client.handler.enforce_csrf_checks = True
    path = f"{KEYS}new/" if act == "new/" else owner.page(act)
    assert owner.client.post(path, {"prefix": owner.key[:12]}).status_code == 403
    assert len(owner.keys()) == 1
    assert owner.works(owner.key)


def test_without_an_account_or_a_password_there_are_no_keys(client: Client, stored: Stored) -> None:
    user = get_user_model().objects.create(email=f"{uuid4().hex}@example.com")
    assert signed_in(client, user.email).get(KEYS).status_code == 404
    with stored() as given:
        customer = given.customer()
    assert signed_in(client, customer.email).get(f"{KEYS}new/").status_code == 403


def test_pages_of_keys_are_for_reading_and_pressing_only(owner: Owner) -> None:
    assert owner.client.post(KEYS).status_code == 405
    assert owner.client.delete(owner.page("revoke/")).status_code == 405
    assert owner.works(owner.key)
