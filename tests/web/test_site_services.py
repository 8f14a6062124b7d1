"""The public price list: what is found, at which price, how fast, and how little it asks the database."""

import re
import time
from decimal import Decimal

import pytest
from browsers import Login, Stored, text
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given as over
from hypothesis import strategies as some

from given import Customer, upstream_service
from panelry.domain import catalog, money
from panelry.domain.catalog import Listing, ServiceEdit, ServiceId, discounted
from panelry.domain.providers import UpstreamService
from panelry.web.site.choosing import PER_PAGE, Question, find
from panelry.web.site.price_list import Entry, PriceList, folded


def upstream(name: str, category: str, **more: object) -> UpstreamService:
    row = upstream_service(name=name)
    fields = {field: getattr(row, field) for field in UpstreamService.__dataclass_fields__}
    return UpstreamService(**(fields | {"category": category} | more))


def listed_ids(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'class="head"><a href="[^"]*/services/(\d+)/"', page)]


@pytest.fixture
def word() -> str:
    """Return a word that no other test's services have."""
    return f"w{time.monotonic_ns()}"


@pytest.fixture
def shop(stored: Stored, word: str) -> list[ServiceId]:
    with stored() as given:
        return given.services(
            None,
            [
                upstream(f"{word} letter", f"Instagram {word}", refill=True, cancel=False, dripfeed=True),
                upstream(f"{word} İLAN \N{LATIN SMALL LETTER DOTLESS I}ş\N{LATIN SMALL LETTER DOTLESS I}k", f"TikTok {word}", refill=False, cancel=True),
                upstream(
                    f"{word} article", f"Press {word}", type="Package", minimum=1, maximum=1, refill=False, cancel=False,
                    rate=Decimal("120.5"), description="Written by the desk. Online for a year.", average_time="12 days",
                ),
            ],
        )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("", [0, 1, 2]),
        ("&platform=Instagram", [0]),
        ("&platform=TikTok", [1]),
        ("&type=Package", [2]),
        ("&type=Default", [0, 1]),
        ("&priced=package", [2]),
        ("&priced=thousand", [0, 1]),
        ("&refill=1", [0]),
        ("&dripfeed=on", [0]),
        ("&cancel=1", [1]),
        ("&refill=1&cancel=1", []),
        ("&category=Nothing", []),
    ],
)
def test_services_are_found_by_what_they_are(
    client: Client, shop: list[ServiceId], word: str, question: str, wanted: list[int]
) -> None:
    page = client.get(f"/services/?q={word}{question}").content.decode()
    assert listed_ids(page) == [shop[index] for index in wanted]


@pytest.mark.parametrize(
    "asked", ["ilan", "İLAN", "ILAN", "\u0131ş\u0131k", "isik", "IŞIK", "\u0131lan isik"]
)
def test_searching_knows_the_letters_of_turkish(
    client: Client, shop: list[ServiceId], word: str, asked: str
) -> None:
    assert listed_ids(client.get("/services/", {"q": f"{word} {asked}"}).content.decode()) == [shop[1]]


def test_a_service_is_found_by_its_number(client: Client, shop: list[ServiceId], word: str) -> None:
    page = client.get("/services/", {"q": f"{shop[2]} {word}"}).content.decode()
    assert listed_ids(page) == [shop[2]]


def test_where_nothing_is_found_the_page_says_so(client: Client, shop: list[ServiceId]) -> None:
    answer = client.get("/services/?q=nothing-is-called-like-this")
    assert answer.status_code == 200
    assert "No service answers this" in text(answer)


@pytest.mark.parametrize("asked", ["0", "999999", "-1", "x", "1.5", "٣", "9" * 30])
def test_a_page_that_there_is_not_is_not_found(client: Client, shop: list[ServiceId], asked: str) -> None:
    assert client.get("/services/", {"page": asked}).status_code == 404


def test_strange_questions_break_nothing(client: Client, shop: list[ServiceId]) -> None:
    for q in ("%", "_", "\\", "'", '"', "\x00", "<script>alert(1)</script>", "x" * 5_000, "🙂", "\u202e"):
        answer = client.get("/services/", {"q": q, "category": q, "type": q, "priced": q, "platform": q})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.content.decode()


def test_htmx_gets_the_list_alone(client: Client, shop: list[ServiceId], word: str) -> None:
    answer = client.get(f"/services/?q={word}", headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert listed_ids(page) == shop
    assert "<html" not in page
    assert "HX-Request" in answer["Vary"]


def test_what_names_a_provider_writes_cannot_do_harm(client: Client, stored: Stored, word: str) -> None:
    harm = "<script>alert(1)</script>"
    with stored() as given:
        [service] = given.services(
            None,
            [
                upstream(
                    f"{word} {harm}", f"C{word}{harm}", description=f"{harm}<b onclick=x()>Bold</b>\n\nMore"
                )
            ],
        )
    for path in (f"/services/?q={word}", f"/services/{service}/", "/services/", "/pricing/"):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<b onclick" not in page


def test_the_public_price_is_what_a_new_customer_pays(
    client: Client, stored: Stored, shop: list[ServiceId], word: str
) -> None:
    page = client.get(f"/services/?q={word}").content.decode()
    shown = [money.parse(found) for found in re.findall(r'class="money" value="([\d.]+)"', page)]
    with stored() as given:
        rates = {one.id: one.rate_micros for one in catalog.listings(given.conn)}
        [[percent]] = given.conn.execute(
            "SELECT t.discount_percent FROM accounts a JOIN tiers t ON t.id = a.tier_id WHERE a.id = %s",
            [given.customer().account],
        ).fetchall()
    assert shown == [discounted(rates[id_], percent) for id_ in shop]


def test_a_signed_in_reader_sees_the_price_of_their_tier(
    customer_login: Login, customer: Customer, stored: Stored, shop: list[ServiceId]
) -> None:
    with stored() as given:
        given.discount(customer, "12.5")
    page = customer_login(customer).get(f"/services/{shop[2]}/")
    assert "$105.4375" in text(page)
    assert "$120.50" not in text(page)
    assert "private" in page["Cache-Control"]


def test_a_change_of_the_catalogue_is_seen_at_once(
    client: Client, stored: Stored, shop: list[ServiceId], word: str
) -> None:
    assert listed_ids(client.get(f"/services/?q={word}").content.decode()) == shop
    with stored() as given:
        catalog.set_service(given.conn, shop[0], ServiceEdit(on_sale=False))
        catalog.set_service(given.conn, shop[2], ServiceEdit(rate_micros=money.parse("177.00")))
    answer = client.get(f"/services/?q={word}")
    assert listed_ids(answer.content.decode()) == shop[1:]
    assert "$177.00" in text(answer)
    assert client.get(f"/services/{shop[0]}/").status_code == 404


def test_no_page_names_a_provider(client: Client, stored: Stored, shop: list[ServiceId]) -> None:
    with stored() as given:
        names = [name for (name,) in given.conn.execute("SELECT name FROM providers").fetchall()]
    assert names
    for path in ("/", "/services/", f"/services/{shop[0]}/", "/status/", "/updates/", "/pricing/"):
        page = client.get(path).content.decode()
        assert not [name for name in names if name in page]


def test_a_services_page_says_what_an_order_needs_and_costs(client: Client, shop: list[ServiceId]) -> None:
    read = text(client.get(f"/services/{shop[0]}/"))
    for said in ("link required", "quantity required", "$0.01", "$1.00", "30 days of the end", "By quantity"):
        assert said in read, said
    package = text(client.get(f"/services/{shop[2]}/"))
    for said in ("one package", "$120.50", "12 days", "Written by the desk. Online for a year.", "No refill"):
        assert said in package, said


def test_examples_of_charges_stay_within_the_limits(client: Client, stored: Stored) -> None:
    from panelry.web.site.prices import examples

    listing = _listing(7, minimum=50, maximum=900)
    assert [units for units, _ in examples(listing, listing.rate_micros)] == [50, 100]
    listing = _listing(7, minimum=10, maximum=10)
    assert [units for units, _ in examples(listing, listing.rate_micros)] == [10]


def test_a_request_reads_one_revision_and_one_discount(client: Client, shop: list[ServiceId]) -> None:
    client.get("/services/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/services/?q=a&refill=1&page=1")
    tables = [one["sql"] for one in queries if "SELECT" in one["sql"] and "branding" not in one["sql"]]
    assert len(tables) <= 1, tables  # the revision goes past Django
    assert not any("services" in sql for sql in tables)


def _listing(number: int, **more: object) -> Listing:
    fields = {
        "id": ServiceId(number), "name": f"Service {number} of the large catalogue", "type": "Default",
        "category": f"Category {number % 240}", "rate_micros": money.parse("1.25"), "rate_per": 1000, "minimum": 10,
        "maximum": 100_000, "dripfeed": number % 2 == 0, "refill": number % 3 == 0, "cancel": number % 5 == 0,
        "description": "Delivered by a desk. In a day or two.", "average_time": "2 days",
    }  # fmt: skip
    return Listing(**(fields | more))


def _price_list(count: int) -> PriceList:
    from panelry.web.site import price_list

    return price_list._made(1, [_listing(number) for number in range(1, count + 1)], None)


def test_six_thousand_services_are_searched_in_milliseconds() -> None:
    listed = _price_list(6_000)
    started = time.perf_counter()
    for _ in range(10):
        find(listed, Question(q="large 59", refill=True))
    assert (time.perf_counter() - started) / 10 < 0.1


@over(
    some.lists(some.booleans(), min_size=3, max_size=3),
    some.sampled_from(["", "Category 1", "nowhere"]),
    some.integers(0, 450),
)
def test_pages_of_a_question_hold_each_answer_once(with_: list[bool], category: str, count: int) -> None:
    listed = _price_list(count)
    refill, dripfeed, cancel = with_
    question = Question(category=category, refill=refill, dripfeed=dripfeed, cancel=cancel)
    first = find(listed, question)
    seen: list[Entry] = []
    for page in range(1, first.pages + 1):
        found = find(listed, Question.read(QueryDict(f"{question.address[1:]}&page={page}")))
        assert len(found.entries) <= PER_PAGE
        assert found.first == len(seen) + 1 or not found.entries
        seen += found.entries
        assert found.last == len(seen)
    assert len(seen) == first.total == len({entry.listing.id for entry in seen})
    assert all(not refill or entry.listing.refill for entry in seen)


@over(
    some.builds(
        Question,
        q=some.text("abc &=%", max_size=9).map(str.strip),
        refill=some.booleans(),
        page=some.integers(1, 99),
    )
)
def test_an_address_asks_what_it_was_made_from(question: Question) -> None:
    assert Question.read(QueryDict(question.address[1:])) == question


@over(some.text(max_size=30))
def test_folding_twice_is_folding_once(words: str) -> None:
    assert folded(folded(words)) == folded(words)
