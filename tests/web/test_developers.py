"""The pages for developers: complete, the same in every language, and true of the panel that they stand on."""

import json
import re
from html import unescape

import pytest
import yaml
from browsers import Login, Stored, text
from django.test import Client, override_settings

from documents import FOLDER, documents
from given import Customer
from panelry import contract
from panelry.web.site.developers import samples, tables
from panelry.web.site.developers.examples import EXAMPLES
from panelry.web.site.developers.pages import BY_SLUG, PAGES, Page
from panelry.web.site.developers.panel import Panel

LANGUAGES = {"en": "", "tr": "/tr", "ar": "/ar"}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
each_language = pytest.mark.parametrize("language", LANGUAGES)


def address(page: Page, language: str = "en") -> str:
    """Return where a page stands."""
    return f"{LANGUAGES[language]}/developers/" + ("" if page.slug == "overview" else f"{page.slug}/")


def seen(client: Client, path: str) -> str:
    """Return a page that must be there, as it came."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def code(html: str) -> list[str]:
    """Return what stands in the code blocks of a page."""
    return [
        unescape(re.sub(r"<[^>]*>", "", block))
        for block in re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", html, re.DOTALL)
    ]


@each_page
@each_language
def test_every_page_is_there_in_every_language_and_as_markdown(
    client: Client, page: Page, language: str
) -> None:
    html = seen(client, address(page, language))
    assert f'lang="{language}"' in html
    whole = seen(client, f"{LANGUAGES[language]}/developers/{page.slug}.md")
    title = re.match(r"# (.*)\n", whole)
    assert title
    assert f"<h1>{title[1]}</h1>" in unescape(html).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    assert "[[" not in whole
    assert "{{" not in whole + html
    assert "{#" not in whole + html


def test_the_side_lists_all_pages_in_their_order(client: Client) -> None:
    html = seen(client, "/developers/refill/")
    side = html[html.index('id="side"') : html.index("</nav>", html.index('id="side"'))]
    listed = re.findall(r'<a href="([^"]+)"( aria-current="page")?>', side.partition("<h2>")[2])
    assert [path for path, _ in listed] == [address(page) for page in PAGES]
    assert [path for path, current in listed if current] == ["/developers/refill/"]


def test_a_page_that_nobody_wrote_is_not_found(client: Client) -> None:
    for path in ("/developers/nonsense/", "/developers/nonsense.md", "/tr/developers/../../settings.md"):
        assert client.get(path).status_code == 404


@each_page
@each_language
def test_every_link_within_the_documentation_leads_somewhere(
    client: Client, page: Page, language: str
) -> None:
    html = seen(client, address(page, language))
    main = html[html.index('<main id="main">') : html.index("</main>")]
    for href in set(re.findall(r'href="([^"]+)"', main)):
        path, _, anchor = unescape(href).removeprefix("http://localhost").partition("#")
        if path.startswith("https://"):
            continue
        target = seen(client, path.partition("?")[0]) if path else html
        assert not anchor or f'id="{anchor}"' in target, href


@each_page
def test_every_address_is_the_panels_own(client: Client, page: Page) -> None:
    for path in (address(page), f"/developers/{page.slug}.md"):
        assert "panel.example" not in seen(client, path)
    shown = code(seen(client, "/developers/place-order/"))
    assert shown[0].startswith("curl http://localhost/api/v2 ")
    assert client.get("/developers/", HTTP_HOST="elsewhere.example").status_code == 400


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_stands_on_its_page_as_it_is_run(client: Client, name: str) -> None:
    example = EXAMPLES[name]
    [page] = [page for page in PAGES if example.action in page.actions]
    shown = code(seen(client, address(page)))
    endpoint = "http://localhost/api/v2"
    for _title, write in samples.LANGUAGES.values():
        assert write(endpoint, example.sent).rstrip() in shown
    assert json.dumps(example.answer, indent=2, ensure_ascii=False) in shown
    assert json.dumps(example.error, indent=2) in shown


def test_all_errors_are_explained_on_one_page_and_can_be_linked_to(client: Client) -> None:
    html = seen(client, "/developers/errors/")
    errors = [error for _, _, found in tables.all_errors("en") for error in found]
    assert len(errors) == len(contract.TEXTS) - 1 + len(contract.FAULTS)
    for error in errors:
        assert f'id="{error.code}"' in html
        assert f"<code>{error.text}</code>" in html


def test_limits_are_those_of_the_panel(client: Client, stored: Stored) -> None:
    with stored() as given:
        customer = given.customer()
        tier = given.discount(customer, 5)
    assert f"| {tier} | 100 |" in seen(client, "/developers/rate-limits.md")
    assert tier in seen(client, "/developers/rate-limits/")
    with override_settings(PANELRY_IP_PER_MINUTE=4321):
        assert "4,321" in seen(client, "/developers/rate-limits/")
        assert "4.321" in seen(client, "/tr/developers/rate-limits/")


def test_the_files_for_resellers_are_the_pages_in_markdown(pages: None) -> None:
    written = {file.name: file.read_text() for file in FOLDER.glob("*.md")}
    assert written == documents(), "run `make documents`"


def test_a_panels_first_limits_are_those_of_the_files(client: Client) -> None:
    """The files name what a new panel has."""
    from panelry.schema.models import Tier

    first = Tier.objects.filter(name__in=[name for name, _ in Panel().tiers]).order_by("position")
    assert tuple(first.values_list("name", "per_minute")) == Panel().tiers


def test_programs_find_the_contract_and_the_list_of_pages(client: Client) -> None:
    answer = client.get("/developers/openapi.yaml")
    assert answer.headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(answer.content)["paths"].keys() == {"/api/v2"}
    listed = re.findall(r"\]\(http://localhost(/[^)]+)\)", seen(client, "/llms.txt"))
    assert listed == [*(f"/developers/{page.slug}.md" for page in PAGES), "/developers/openapi.yaml"]
    for path in listed:
        seen(client, path)


def test_only_who_has_an_account_may_try_a_call(
    client: Client, customer: Customer, customer_login: Login
) -> None:
    stranger = client.get("/developers/cancel/")
    assert "data-try" not in stranger.content.decode()
    assert "Sign in to try this call" in text(stranger)
    html = seen(customer_login(customer), "/developers/cancel/")
    assert html.count("data-try") == 1
    assert customer.key[:12] not in html


def test_a_tried_call_goes_to_the_api_alone(customer: Customer, customer_login: Login) -> None:
    html = seen(customer_login(customer), "/developers/webhooks/")
    forms = re.findall(r"<form[^>]*data-try[^>]*>", html)
    assert len(forms) == len(BY_SLUG["webhooks"].actions)
    for form in forms:
        assert 'method="post" action="/api/v2"' in form


@pytest.mark.parametrize("page", [page for page in PAGES if page.actions], ids=lambda page: page.slug)
def test_what_changes_or_costs_something_asks_first(
    customer: Customer, customer_login: Login, page: Page
) -> None:
    html = seen(customer_login(customer), address(page))
    for form in re.findall(r"<form[^>]*data-try.*?</form>", html, re.DOTALL):
        [name] = re.findall(r'name="action" value="([^"]+)"', form)
        action = contract.ACTIONS[name]
        assert ('type="checkbox" required' in form) is action.acts
        assert ("charge my wallet" in form) is action.spends


def test_a_form_orders_once_and_each_visit_anew(customer: Customer, customer_login: Login) -> None:
    client = customer_login(customer)
    pattern = r'name="request_id" value="([0-9a-f]{32})"'
    first, second = (re.findall(pattern, seen(client, "/developers/place-order/")) for _ in range(2))
    assert len(first) == len(second) == 1
    assert first != second
