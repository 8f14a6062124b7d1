"""Public pages: for everybody, in every language, kept by browsers, read by programs; and no more than is true."""

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from browsers import Login, Stored, text
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from given import Customer, upstream_service
from panelry import clock
from panelry.domain import catalog, ids, money
from panelry.domain.catalog import ServiceEdit, ServiceId

PATHS = (
    "/", "/services/", "/pricing/", "/why/", "/about/", "/blog/", "/blog/sent-once/", "/faq/", "/giveaways/", "/contact/",
    "/contact/sent/", "/terms/", "/terms/1/", "/privacy/", "/refunds/", "/updates/", "/status/", "/changelog/",
)  # fmt: skip
LANGUAGES = ("", "/tr", "/ar")
STEADY = [path for path in PATHS if path != "/status/"]
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def structured(page: str) -> list[dict[str, object]]:
    found = re.findall(r'<script type="application/ld\+json" nonce="[^"]+">(.*?)</script>', page, re.DOTALL)
    return [json.loads(one) for one in found]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_there_in_every_language(
    client: Client, service: ServiceId, path: str, language: str
) -> None:
    answer = client.get(language + path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert re.search(r"<html lang=\"(en|tr|ar)\"", page)
    assert page.count("<h1") == 1
    assert "{name}" not in page
    assert "style=" not in page


@pytest.mark.parametrize("path", PATHS)
def test_whoever_only_reads_is_given_no_cookie(client: Client, service: ServiceId, path: str) -> None:
    assert not client.get(path).cookies


@pytest.mark.parametrize("path", PATHS)
def test_pages_are_only_read(client: Client, path: str) -> None:
    if path != "/contact/":
        assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", STEADY)
def test_a_page_that_is_the_same_is_not_sent_again(client: Client, service: ServiceId, path: str) -> None:
    first = client.get(path)
    assert first["Cache-Control"] == "no-cache"
    assert "Cookie" in first["Vary"]
    again = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "Content-Security-Policy" not in again  # the kept page keeps the policy whose nonce it has


def test_a_page_that_changed_is_sent_again(client: Client, stored: Stored, service: ServiceId) -> None:
    page = f"/services/{service}/"
    first = client.get(page)
    with stored() as given:
        catalog.set_service(given.conn, service, ServiceEdit(name="Another name"))
    assert client.get(page, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_pages_travel_compressed(client: Client, service: ServiceId) -> None:
    plain = client.get("/terms/")
    packed = client.get("/terms/", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2


def test_a_signed_in_reader_is_led_to_the_dashboard(customer_login: Login, customer: Customer) -> None:
    client = customer_login(customer)
    page = client.get("/")
    assert 'href="/dashboard/"' in page.content.decode()
    assert page["Cache-Control"] == "private, no-cache"


def test_nothing_of_an_account_stands_on_public_pages(
    customer_login: Login, customer: Customer, service: ServiceId
) -> None:
    client = customer_login(customer)
    for path in PATHS:
        page = client.get(path).content.decode()
        assert customer.email not in page
        assert ids.show(ids.ACCOUNT, customer.account) not in page


def test_the_first_page_computes_its_example_and_shows_what_is_on_sale(
    client: Client, stored: Stored, service: ServiceId
) -> None:
    read = text(client.get("/"))
    for figure in ("$45.00", "13,500", "$30.375", "$14.625"):
        assert figure in read
    with stored() as given:
        count = len(catalog.listings(given.conn))
    assert re.search(rf"\b{count:,} services? (is|are) on sale", read)


def test_the_first_page_offers_an_account_only_where_one_can_be_made(client: Client) -> None:
    page = client.get("/").content.decode()
    assert 'href="/sign-up/"' not in page
    assert re.search(r'class="btn primary" href="/services/"', page)


def test_tiers_are_those_that_there_are(client: Client, stored: Stored) -> None:
    read = text(client.get("/pricing/"))
    with stored() as given:
        tiers = given.conn.execute(
            "SELECT name, per_minute FROM tiers WHERE threshold_micros < %s ORDER BY position LIMIT 3",
            [money.LARGEST],
        ).fetchall()
    for name, per_minute in tiers:
        assert name in read
        assert f"{per_minute:,}" in read


def test_a_tier_that_no_deposit_reaches_is_nobodys_business(
    client: Client, stored: Stored, customer: Customer
) -> None:
    with stored() as given:
        name = given.discount(customer, 50)
    assert name not in text(client.get("/pricing/"))


def test_what_binds_has_versions_and_the_last_one_holds(client: Client, staff: Client) -> None:
    from panelry.web.content.models import Page

    form = {"title_en": "Terms, changed", "description_en": "Other", "body_en": "**Changed** words."}
    first = Page.objects.get(slug="privacy", version=1)
    now = {"published_at_0": f"{clock.now():%Y-%m-%d}", "published_at_1": "00:00:00"}
    answer = staff.post(f"/office/admin/content/page/{first.pk}/change/", form | now)
    assert answer.status_code == 302, answer.content
    try:
        read = text(Client(HTTP_HOST="localhost").get("/privacy/"))
        assert "Changed words." in read
        assert "Version 2" in read
        before = client.get("/privacy/1/")
        assert "This is an earlier version." in text(before)
        assert 'content="noindex"' in before.content.decode()
        first.refresh_from_db()
        assert first.title_en == "Privacy"
        assert client.get("/privacy/3/").status_code == 404
        changed = Page.objects.get(slug="privacy", version=2)
        assert changed.author is not None
    finally:
        Page.objects.filter(slug="privacy", version__gt=1).delete()


@pytest.mark.parametrize(
    "path",
    [
        "/blog/nothing/",
        "/blog/?after=nothing",
        "/terms/99999999999999999999/",
        "/services/99999999999999999999/",
        "/updates/?before=x",
        "/updates/?before=9999999999999999999999",
        "/changelog/?after=sent-once",
        "/tr/nowhere/",
        "/sitemap-nothing.xml",
    ],
)
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404


def test_the_blog_goes_on_where_a_page_of_it_ends(client: Client) -> None:
    from panelry.web.content.models import Post

    at = clock.now() - timedelta(days=400)
    posts = [
        Post(slug=f"old-{n}", title_en=f"Old {n}", body_en="x", published_at=at - timedelta(days=n // 2))
        for n in range(45)
    ]
    for post in posts:
        post.save()
    try:
        seen: list[str] = []
        path = "/blog/"
        while True:
            page = client.get(path).content.decode()
            seen += re.findall(r'href="/blog/([a-z0-9-]+)/"', page)
            older = re.search(r'rel="next" href="(\?after=[^"]+)"', page)
            if older is None:
                break
            path = f"/blog/{older[1]}"
        assert len(seen) == len(set(seen))
        assert {f"old-{n}" for n in range(45)} <= set(seen)
    finally:
        Post.objects.filter(slug__startswith="old-").delete()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_feed_is_atom_with_whole_addresses(client: Client, language: str) -> None:
    answer = client.get(f"{language}/blog/feed.xml")
    feed = ET.fromstring(answer.content)  # noqa: S314 (our own)
    atom = "{http://www.w3.org/2005/Atom}"
    assert answer["Content-Type"].startswith("application/atom+xml")
    entries = feed.findall(f"{atom}entry")
    assert entries
    for entry in entries:
        assert (entry.findtext(f"{atom}id") or "").startswith(f"http://localhost{language}/blog/")
        assert 'href="/' not in (entry.findtext(f"{atom}summary") or "")


def test_robots_know_the_sitemap_and_what_is_private(client: Client) -> None:
    answer = client.get("/robots.txt").content.decode()
    assert "Sitemap: http://localhost/sitemap.xml" in answer
    assert "Disallow: /dashboard/" in answer


def test_every_address_of_the_sitemap_is_there(client: Client, service: ServiceId) -> None:
    index = ET.fromstring(client.get("/sitemap.xml").content)  # noqa: S314 (our own)
    parts = [one.text or "" for one in index.iter(f"{SITEMAP}loc")]
    assert len(parts) >= 3
    seen = set()
    for part in parts:
        split = urlsplit(part)
        listed = ET.fromstring(client.get(f"{split.path}?{split.query}").content)  # noqa: S314 (our own)
        seen |= {urlsplit(one.text or "").path for one in listed.iter(f"{SITEMAP}loc")}
    assert {"/", "/tr/terms/", "/ar/blog/sent-once/", f"/tr/services/{service}/"} <= seen
    for path in [path for path in sorted(seen) if "/services/" not in path]:
        assert client.get(path).status_code == 200, path


def test_search_engines_are_told_what_the_page_says(client: Client, service: ServiceId) -> None:
    [organization] = structured(client.get("/").content.decode())
    assert organization["@type"] == "Organization"
    [questions] = structured(client.get("/faq/").content.decode())
    assert len(questions["mainEntity"]) > 10  # type: ignore[arg-type]
    [posting] = structured(client.get("/tr/blog/sent-once/").content.decode())
    assert (posting["@type"], posting["inLanguage"]) == ("BlogPosting", "tr")
    [offer] = structured(client.get(f"/services/{service}/").content.decode())
    assert offer["offers"]["price"] == "2.50"  # type: ignore[index]


def test_data_for_search_engines_cannot_end_its_script(client: Client, stored: Stored) -> None:
    with stored() as given:
        [service] = given.services(None, [upstream_service(name="</script><script>alert(1)</script>&")])
    page = client.get(f"/services/{service}/").content.decode()
    assert "<script>alert" not in page
    assert structured(page)[0]["name"] == "</script><script>alert(1)</script>&"


def test_updates_tell_what_changed_for_customers(client: Client, stored: Stored, service: ServiceId) -> None:
    with stored() as given:
        catalog.set_service(given.conn, service, ServiceEdit(rate_micros=money.parse("3.125")))
        catalog.set_service(given.conn, service, ServiceEdit(maximum=7_777))
        catalog.set_service(given.conn, service, ServiceEdit(on_sale=False))
    read = text(client.get("/updates/"))
    for said in ("Price raised $2.50 per 1,000 $3.125 per 1,000", "Largest order 5,000 7,777", "Off sale"):
        assert said in read, read[:2_000]
    assert f"/services/{service}/" not in client.get("/updates/").content.decode()


def test_updates_go_on_where_a_page_of_them_ends(client: Client, stored: Stored, service: ServiceId) -> None:
    with stored() as given:
        for maximum in range(6_000, 6_120):
            catalog.set_service(given.conn, service, ServiceEdit(maximum=maximum))
    first = client.get("/updates/").content.decode()
    older = re.search(r'rel="next" href="\?before=(\d+)"', first)
    assert older is not None
    second = text(client.get(f"/updates/?before={older[1]}"))
    assert "6,119" in first
    assert "6,119" not in second
    assert "6,001" in second


def test_a_giveaway_is_shown_with_how_it_stands(client: Client) -> None:
    from panelry.web.content.models import Giveaway

    now, day = clock.now(), timedelta(days=1)
    spans = {
        "Runs": (now - day, now + day),
        "Comes": (now + day, now + 2 * day),
        "Ended": (now - 2 * day, now - day),
    }
    made = [
        Giveaway(
            slug=title.lower(), title_en=f"{title} giveaway", body_en="Rules.", starts_at=start, ends_at=end
        )
        for title, (start, end) in spans.items()
    ]
    for one in made:
        one.save()
    try:
        read = text(client.get("/giveaways/"))
        assert re.search(r"Runs giveaway Open .* Comes giveaway Not open yet .* Ended giveaway Ended", read)
    finally:
        for one in made:
            one.delete()


def test_the_status_page_measures(client: Client, stored: Stored) -> None:
    from panelry.web.site import health

    with stored() as given:
        given.provider()
        given.conn.execute("UPDATE panel SET engine_seen_at = clock_now() - interval '10 minutes'")
        given.conn.execute(
            "UPDATE providers SET broken_until = now() + interval '1 hour' WHERE id = (SELECT min(id) FROM providers)"
        )
    health.forget()
    read = text(client.get("/status/"))
    assert "Something does not work" in read
    assert "Last seen 10 minutes ago." in read
    assert "Most calls fail; orders go around it." in read
    with stored() as given:
        given.conn.execute("UPDATE panel SET engine_seen_at = clock_now()")
        given.conn.execute("UPDATE providers SET broken_until = NULL")
    assert "Last seen" in text(client.get("/status/"))  # measured ten seconds ago at most
    health.forget()
    assert "At work." in text(client.get("/status/"))


def test_the_status_page_tells_of_incidents(client: Client) -> None:
    from panelry.web.content.models import Incident, IncidentNote

    now = clock.now()
    incident = Incident(
        title_en="Slow <answers>", body_en="We look into it.", began_at=now - timedelta(hours=1)
    )
    incident.save()
    note = IncidentNote(incident=incident, at=now, text_en="It is the network.", text_tr="Nedeni ağ.")
    note.save()
    try:
        read = text(client.get("/status/"))
        assert "Slow <answers>" in read
        assert "It is the network." in read
        assert "Nedeni ağ." in text(client.get("/tr/status/"))
    finally:
        incident.delete()


def test_without_a_database_the_status_page_says_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from panelry.web.site import health

    health.forget()
    connection.close()
    with monkeypatch.context() as patched:
        patched.setitem(connection.settings_dict, "HOST", "127.0.0.1")
        patched.setitem(connection.settings_dict, "PORT", "9")
        answer = client.get("/status/")
    connection.close()
    assert answer.status_code == 503
    assert "Something does not work" in text(answer)
    assert "It cannot be reached." in text(answer)


@pytest.mark.parametrize("model", ["page", "post", "question", "giveaway", "incident", "message"])
def test_staff_find_every_list_and_form_of_content(staff: Client, model: str) -> None:
    assert staff.get(f"/office/admin/content/{model}/").status_code == 200
    assert staff.get(f"/office/admin/content/{model}/add/").status_code == (
        403 if model == "message" else 200
    )


@pytest.mark.parametrize("model", ["page", "post", "message"])
def test_content_is_for_staff_alone(
    client: Client, customer_login: Login, customer: Customer, model: str
) -> None:
    assert (
        client.get(f"/office/admin/content/{model}/", follow=True)
        .redirect_chain[-1][0]
        .startswith("/sign-in/")
    )
    assert customer_login(customer).get(f"/office/admin/content/{model}/", follow=True).status_code == 403


def test_the_list_of_pages_costs_the_same_queries_however_many_versions_there_are(staff: Client) -> None:
    from panelry.web.content.models import Page

    def asked() -> int:
        staff.get("/office/admin/content/page/")
        with CaptureQueriesContext(connection) as queries:
            assert staff.get("/office/admin/content/page/").status_code == 200
        return len([one for one in queries if "content_pages" in one["sql"]])

    few = asked()
    more = [Page(slug="why", version=number, title_en="Why", body_en="Why.") for number in range(2, 9)]
    for page in more:
        page.save()
    try:
        assert asked() == few
    finally:
        for page in more:
            page.delete()


def test_a_public_name_is_reached_by_https(client: Client, service: ServiceId) -> None:
    with override_settings(SESSION_COOKIE_SECURE=True):
        pages = [
            client.get(path).content.decode()
            for path in ("/", "/tr/terms/", "/sitemap-pages.xml", "/robots.txt")
        ]
    for page in pages:
        assert "https://localhost/" in page
        assert "http://localhost/" not in page
