"""What the documentation does in a browser beside being read: calls are tried, the language of code is remembered."""

import json
import re
from collections.abc import Mapping

import pytest
from playwright.sync_api import Locator, Page
from visits import Reader

PATH = "/developers/place-order/"


def filled(page: Page, told: Mapping[str, str], *, sure: bool = True) -> Locator:
    """Open the form of the page and fill it in for the service that the demonstration names."""
    page.locator("details.try > summary").click()
    form = page.locator("form[data-try]")
    [service] = re.findall(r"service=(\d+)", told["curl"])
    form.locator("[name=key]").fill(told["key"])
    form.locator("[name=service]").fill(service)
    if sure:
        form.locator("[type=checkbox]").check()
    return form


def test_a_tried_call_orders_once_and_shows_its_answer_in_place(
    customer: Reader, demonstration: dict[str, str]
) -> None:
    with customer.visit(PATH) as visit:
        form, answers = filled(visit.page, demonstration), []
        for _ in range(2):
            with visit.page.expect_response("**/api/v2") as heard:
                form.locator("button").click()
            assert heard.value.status == 200
            assert "cookie" not in heard.value.request.all_headers()
            visit.page.wait_for_function("!document.querySelector('form[data-try] button').disabled")
            answers.append(json.loads(form.locator("[data-answer] code").inner_text())["order"])
        assert answers[0] == answers[1]
        assert form.locator("[data-status]").inner_text() == "HTTP 200"
        assert visit.page.url.endswith(PATH)
        kept = visit.page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
        assert demonstration["key"] not in kept
        assert not visit.complaints
        assert not visit.barriers()


def test_nothing_is_ordered_by_whoever_is_not_sure(customer: Reader, demonstration: dict[str, str]) -> None:
    with customer.visit(PATH) as visit:
        asked: list[str] = []
        visit.page.on("request", lambda request: asked.append(request.url))
        filled(visit.page, demonstration, sure=False).locator("button").click()
        visit.page.wait_for_timeout(300)
        assert asked == []


def test_a_refusal_is_shown_in_place(customer: Reader) -> None:
    with customer.visit("/developers/balance/") as visit:
        visit.page.locator("details.try > summary").click()
        form = visit.page.locator("form[data-try]")
        form.locator("[name=key]").fill("pnl_wrong")
        form.locator("button").click()
        form.locator("[data-answer]").wait_for()
        assert json.loads(form.locator("[data-answer] code").inner_text()) == {"error": "Invalid API key"}
        assert form.locator("[data-status]").inner_text() == "HTTP 400"


def test_a_call_is_tried_without_scripts_too(customer: Reader, demonstration: dict[str, str]) -> None:
    with customer.visit(PATH, scripts=False) as visit:
        filled(visit.page, demonstration).locator("button").click()
        visit.page.wait_for_url("**/api/v2")
        assert '"order":"ord_' in visit.page.content()


@pytest.mark.parametrize("language", ["Python", "PHP"])
def test_the_language_of_code_is_remembered_for_all_blocks_and_pages(stranger: Reader, language: str) -> None:
    with stranger.visit("/developers/refill/") as visit:
        visit.page.get_by_text(language, exact=True).first.click()
        for path in ("/developers/refill/", "/ar/developers/webhooks/"):
            visit.page.goto(stranger.home + path)
            chosen = visit.page.locator(".code label:has(:checked)").all_inner_texts()
            assert len(chosen) > 2
            assert set(chosen) == {language}
            tabbed = visit.page.locator(".code:has(label)")
            assert tabbed.locator("pre:visible").count() == tabbed.count()
