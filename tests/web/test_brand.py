"""The operator's name, accent and logo: set by staff, seen by everyone."""

import base64
from collections.abc import Iterator

import pytest
from browsers import Login
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client

from given import Customer
from panelry.web import brand
from panelry.web.branding.models import Branding
from panelry.web.branding.pictures import LARGEST, type_of

FORM = "/office/admin/branding/branding/1/change/"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><path d="M0 0h9v9z"/></svg>'
BILLION = b'<!DOCTYPE svg [<!ENTITY a "aa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'


@pytest.fixture(autouse=True)
def _plain_brand(pages: None) -> Iterator[None]:
    brand.forget()
    yield
    Branding.objects.update(name="", accent="", logo=b"", logo_type="")
    brand.forget()


def change(staff: Client, *, logo: bytes | None = None, **entered: str) -> str:
    """Send the form as staff do; return the page that answers."""
    form: dict[str, object] = {"name": "", "accent": "", **entered}
    if logo is not None:
        form["upload"] = SimpleUploadedFile("logo.png", logo)
    return staff.post(FORM, form, follow=True).content.decode()


def test_without_a_brand_of_its_own_a_panel_is_called_panelry_and_looks_like_it(client: Client) -> None:
    page = client.get("/sign-in/").content.decode()
    assert "<title>Sign in · Panelry</title>" in page
    assert "--accent:" not in page
    assert "panelry/mark.svg" in page


def test_what_staff_set_is_on_the_next_page(staff: Client) -> None:
    change(staff, name="Kiosk", accent="#B3E", logo=SVG)
    page = staff.get("/dashboard/").content.decode()
    assert "· Kiosk</title>" in page
    assert ":root { --accent: #bb33ee; }" in page
    assert f'src="{brand.current().logo_url}"' in page


def test_the_accent_stands_in_a_style_that_only_this_answer_may_have(staff: Client) -> None:
    change(staff, accent="#0b6e78")
    answer = staff.get("/dashboard/")
    nonce = answer["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
    assert f'<style nonce="{nonce}">:root {{ --accent: #0b6e78; }}</style>' in answer.content.decode()


@pytest.mark.parametrize(
    "accent", ["red", "#12345", "#0b6e78;}*{display:none", "url(//evil.example)", "#gggggg"]
)
def test_an_accent_is_a_colour_and_nothing_else(staff: Client, accent: str) -> None:
    assert "error" in change(staff, accent=accent)
    assert Branding.objects.get().accent == ""


@pytest.mark.parametrize("accent", ["red", "#0B6E78", "}"])
def test_the_database_holds_no_other_accent_either(pages: None, accent: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Branding.objects.update(accent=accent)


@pytest.mark.parametrize(
    ("content", "type_"), [(PNG, "image/png"), (WEBP, "image/webp"), (SVG, "image/svg+xml")]
)
def test_a_logo_is_shown_as_what_it_is_and_can_do_nothing_else(
    staff: Client, content: bytes, type_: str
) -> None:
    change(staff, logo=content)
    answer = staff.get(brand.current().logo_url)
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, content, type_)
    assert answer["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "content", [b"GIF89a", b"<html></html>", b"<svg>", b"<svg></svg>", BILLION, b"\xff\xd8\xff", b"PNG", b" "]
)
def test_other_files_are_no_logo_whatever_they_are_called(staff: Client, content: bytes) -> None:
    assert type_of(content) == ""
    assert "This is not a PNG, WebP or SVG picture." in change(staff, logo=content)
    assert not Branding.objects.get().logo


def test_a_logo_is_no_larger_than_what_every_visitor_can_be_asked_to_load(staff: Client) -> None:
    assert "The picture is larger than 100 kB." in change(staff, logo=PNG + bytes(LARGEST))


def test_a_logo_stays_until_it_is_removed_or_another_comes(staff: Client) -> None:
    change(staff, logo=PNG)
    first = brand.current().logo_url
    change(staff, name="Kiosk")
    assert brand.current().logo_url == first
    change(staff, logo=SVG)
    assert brand.current().logo_url not in {"", first}
    assert staff.get(first).status_code == 404
    change(staff, without_logo="on")
    assert brand.current().logo_url == ""


def test_what_another_process_changed_is_seen_after_a_few_seconds(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/sign-in/")
    Branding.objects.update(name="Kiosk")
    assert "· Panelry</title>" in client.get("/sign-in/").content.decode()
    monkeypatch.setattr("panelry.web.brand.KEPT_SECONDS", 0.0)
    assert "· Kiosk</title>" in client.get("/sign-in/").content.decode()


def test_the_icon_of_the_tab_is_our_mark_in_the_accent(staff: Client) -> None:
    change(staff, accent="#bb33ee")
    assert 'href="/brand/mark/bb33ee.svg"' in staff.get("/dashboard/").content.decode()
    answer = staff.get("/brand/mark/bb33ee.svg")
    assert b"#bb33ee" in answer.content
    assert answer["Content-Type"] == "image/svg+xml"
    assert staff.get("/brand/mark/bb33ee%7D.svg").status_code == 404


def test_customers_change_no_brand(customer_login: Login, customer: Customer) -> None:
    customer_login(customer).post(FORM, {"name": "Mine", "accent": ""})
    assert brand.current().name == "Panelry"


def test_there_is_one_brand(staff: Client) -> None:
    assert staff.get("/office/admin/branding/branding/", follow=True).redirect_chain[-1][0] == FORM
    assert staff.get("/office/admin/branding/branding/add/").status_code == 403
    assert staff.get("/office/admin/branding/branding/1/delete/").status_code == 403
