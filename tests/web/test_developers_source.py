"""What the pages for developers are made of is complete, and agrees with what the API goes by."""

import fnmatch
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

import panelry
from panelry import contract
from panelry.contract import ACTIONS, GENERAL, TEXTS, Kind, Needed, Parameter
from panelry.domain import orders
from panelry.domain.webhooks import EVENTS
from panelry.web.site.developers import errors, events, meanings, tables
from panelry.web.site.developers.examples import EXAMPLES
from panelry.web.site.developers.pages import PAGES
from panelry.web.site.developers.texts import ANCHOR, CODE, FOLDER, PLACES, text

ROOT = Path(panelry.__file__).parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load(contract.openapi())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
ANSWERS = {
    "services": "Services",
    "add": "Added",
    "drip-feed": "Added",
    "status": "Status",
    "status-list": "Statuses",
    "refill": "Refill",
    "refill-list": "Refills",
    "refill_status": "RefillStatus",
    "cancel": "Cancelled",
    "cancel-list": "Cancels",
    "balance": "Balance",
    "webhook.add": "WebhookAdded",
    "webhook.list": "Webhooks",
    "webhook.test": "WebhookTested",
    "webhook.remove": "WebhookRemoved",
}
LANGUAGES = ("en", "tr", "ar")


def request_schema(action: str) -> dict[str, Any]:
    """Return what the contract says of an action's request."""
    mapping = SCHEMAS["Request"]["discriminator"]["mapping"]
    return dict(SCHEMAS[mapping[action].rpartition("/")[2]])


def test_the_contract_has_exactly_the_actions_of_the_table() -> None:
    assert SCHEMAS["Request"]["discriminator"]["mapping"].keys() == ACTIONS.keys()


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_the_contract_has_exactly_the_parameters_of_the_table(action: contract.Action) -> None:
    schema = request_schema(action.name)
    assert schema["properties"].keys() == {"key", "action", *(one.name for one in action.parameters)}
    always = {one.name for one in action.parameters if one.needed is Needed.ALWAYS}
    assert set(schema["required"]) == {"key", "action"} | always
    one_of = [[one.name] for one in action.parameters if one.needed is Needed.ONE_OF]
    assert [choice["required"] for choice in schema.get("oneOf", [])] == one_of


@pytest.mark.parametrize(
    ("action", "parameter"),
    [(action.name, one) for action in ACTIONS.values() for one in action.parameters],
    ids=lambda value: value.name if isinstance(value, Parameter) else value,
)
def test_the_contract_has_the_kinds_and_lengths_of_the_table(action: str, parameter: Parameter) -> None:
    said = dict(request_schema(action)["properties"][parameter.name])
    if "$ref" in said:
        said = SCHEMAS[said["$ref"].rpartition("/")[2]] | said
    if parameter.kind is Kind.INTEGER:
        assert {"type": "integer", "minimum": parameter.least} in said["anyOf"]
    elif parameter.kind in {Kind.STRING, Kind.URL} and parameter.name != "coupon":
        assert said["maxLength"] == parameter.most
    else:
        assert said["type"] == "string"


def test_every_parameter_of_orders_is_in_the_table_of_actions() -> None:
    named = [one.name for one in ACTIONS["add"].parameters]
    assert Counter(named) == Counter({"service", "request_id", *orders.PARAMETERS})


def test_every_parameter_has_a_meaning_and_every_meaning_a_parameter() -> None:
    taken = {(action.name, one.name) for action in ACTIONS.values() for one in action.parameters}
    assert meanings.MEANINGS.keys() == taken
    assert meanings.KINDS.keys() == set(Kind)


def test_every_limit_that_the_table_knows_is_told() -> None:
    unsaid = {("add", "service"), ("add", "answer_number"), ("add", "country"), ("add", "google_keyword")}
    for action in ACTIONS.values():
        for one in action.parameters:
            if one.most and one.kind is not Kind.DATE and (action.name, one.name) not in unsaid:
                words = str(meanings.MEANINGS[action.name, one.name])
                assert "%(most)s" in words or one.name in {"type_of_traffic", "referring_url", "coupon"}


def test_every_refusal_is_explained_and_met_by_some_call() -> None:
    assert errors.REFUSALS.keys() | errors.SAME == TEXTS.keys()
    assert errors.OUR_FAULTS.keys() == contract.FAULTS.keys()
    assert {kind for action in ACTIONS.values() for kind in action.refusals} | set(GENERAL) == TEXTS.keys()
    for kind in errors.SAME:
        assert TEXTS[kind] in [TEXTS[other] for other in errors.REFUSALS]


def test_every_event_is_told_of_in_the_order_of_the_domain() -> None:
    assert list(events.EVENTS) == list(EVENTS)
    schema = {**SCHEMAS["Event"], "components": DOCUMENT["components"]}
    for _meaning, body in events.EVENTS.values():
        Draft202012Validator(schema).validate(body)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_as_the_contract_says(name: str) -> None:
    example = EXAMPLES[name]
    answer = {**SCHEMAS[ANSWERS[name]], "components": DOCUMENT["components"]}
    Draft202012Validator(answer).validate(example.answer)
    asked = {**request_schema(example.action), "components": DOCUMENT["components"]}
    Draft202012Validator(asked).validate({"key": "pnl_" + "0" * 49, **example.sent})
    assert type(example.refused) in {*GENERAL, *ACTIONS[example.action].refusals}


def test_every_action_has_a_page_and_an_example_of_its_name() -> None:
    assert [action for page in PAGES for action in page.actions] == list(ACTIONS)
    assert ACTIONS.keys() <= EXAMPLES.keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_a_page_is_made_of_the_same_parts_in_every_language(page: Any) -> None:
    parts = [
        (
            [place.groups() for place in PLACES.finditer(words.body)],
            re.findall(r"\{#([\w-]+)\}$", words.body, re.MULTILINE),
            re.findall(r"\{\{\w+\}\}", words.body),
            [line.count("|") for line in words.body.splitlines() if line.startswith("|")],
            sorted(re.findall(r"\]\(([^)]+)\)", f"{words.lead}\n{words.body}")),
            len(re.findall(r"^- ", words.body, re.MULTILINE)),
        )
        for words in (text(page.slug, language) for language in LANGUAGES)
    ]
    assert parts[1] == parts[0]
    assert parts[2] == parts[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_what_programs_say_is_never_translated(page: Any) -> None:
    said = [
        set(
            re.findall(
                r"`([^`\n]+)`", re.sub(r"```.*?```", "", text(page.slug, language).body, flags=re.DOTALL)
            )
        )
        for language in LANGUAGES
    ]
    assert said[0] <= said[1]
    assert said[0] <= said[2]


def test_there_is_no_text_without_a_page_and_no_place_without_a_filling() -> None:
    files = sorted(f"{language}/{page.slug}.md" for language in LANGUAGES for page in PAGES)
    assert sorted(str(file.relative_to(FOLDER)) for file in FOLDER.rglob("*.md")) == files
    for page in PAGES:
        body = text(page.slug, "en").body
        assert {place[1] for place in PLACES.finditer(body)} <= tables.EXPANDED.keys() | tables.DRAWN
        headings = [
            line for line in re.sub(r"```.*?```", "", body, flags=re.DOTALL).splitlines() if line[:1] == "#"
        ]
        assert all(ANCHOR.match(heading) for heading in headings)


def test_all_that_pages_are_made_of_travels_in_the_wheel() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"][
        "panelry"
    ]
    files = [*FOLDER.rglob("*.md"), *CODE.iterdir(), Path(contract.__file__).with_name("openapi.yaml")]
    for file in files:
        assert any(fnmatch.fnmatch(file.name, pattern.removeprefix("**/")) for pattern in data), file
    assert (ROOT / "docs" / "api" / "openapi.yaml").resolve() == files[-1].resolve()
