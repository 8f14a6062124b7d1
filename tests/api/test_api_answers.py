"""Every refusal has an answer, and the answers, the contract and the list for resellers say the same."""

import ast
import importlib
import json
import pkgutil
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import contract
import pytest
from doors import JSON, Door
from jsonschema import ValidationError
from openapi_spec_validator import validate

import panelry
from given import Customer
from panelry import contract as contracted
from panelry.api import answers
from panelry.domain import refusals
from panelry.domain.refusals import OperatorRefusal, Refusal

SOURCE = Path(panelry.__file__).parent


def our_refusals() -> set[type[Refusal]]:
    for package in ("panelry.domain", "panelry.contract", "panelry.api"):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
            importlib.import_module(module.name)
    return {kind for kind in subclasses(Refusal) if kind.__module__.startswith("panelry.")}


def subclasses(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def shown(text: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: match[1].upper(), text)


def all_texts() -> set[tuple[int, str]]:
    faults = {(a.status, json.loads(a.body)["error"]) for a in (answers.UNAVAILABLE, answers.INTERNAL_ERROR)}
    return {(status, shown(text)) for status, text in contracted.TEXTS.values()} | faults


def made_refusals(tree: ast.AST) -> Iterator[tuple[str, set[str]]]:
    """Find where refusals are made: the name, and the details they are made with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], {word.arg or "**" for word in node.keywords}
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name | ast.Attribute):
            yield ast.unparse(node.exc).rpartition(".")[2], set()


def test_every_refusal_has_an_answer_or_is_not_for_machines() -> None:
    for_machines = {kind for kind in our_refusals() if not issubclass(kind, OperatorRefusal)}
    assert for_machines - {OperatorRefusal} == contracted.TEXTS.keys() | contracted.NOT_FOR_MACHINES
    assert not contracted.TEXTS.keys() & contracted.NOT_FOR_MACHINES


def test_every_text_gets_the_details_that_it_names() -> None:
    wanted = {kind.__name__: placeholders(text) for kind, (_, text) in contracted.TEXTS.items()}
    for path in SOURCE.rglob("*.py"):
        for name, details in made_refusals(ast.parse(path.read_text())):
            assert wanted.get(name, set()) <= details, f"{path.name}: {name}"


@pytest.mark.parametrize("kind", contracted.TEXTS, ids=lambda kind: kind.__name__)
def test_an_answer_is_its_error_and_nothing_else(kind: type[Refusal]) -> None:
    status, text = contracted.TEXTS[kind]
    details: dict[str, str | int] = dict.fromkeys(placeholders(text), 7)
    answer = answers.refusal(kind(**details))
    assert (answer.status, json.loads(answer.body)) == (status, {"error": text.format(**details)})


def test_the_contract_is_valid_openapi() -> None:
    validate(contract.DOCUMENT)


def test_the_contract_enumerates_exactly_the_texts_that_are_answered() -> None:
    assert contract.documented_texts() == all_texts()


def test_the_list_for_resellers_explains_exactly_the_texts_that_are_answered() -> None:
    rows = contract.listed_errors()
    assert {(status, text) for status, text, _, _ in rows} == all_texts()
    assert len(rows) == len(all_texts())
    assert all(cause and cure for _, _, cause, cure in rows)


def test_good_requests_are_as_documented(door: Door, customer: Customer, order: dict[str, str]) -> None:
    key = {"key": customer.key}
    requests: dict[str, list[dict[str, Any]]] = {
        "AddRequest": [order, order | {"quantity": 100, "request_id": 7}, order | {"request_id": "x" * 128}],
        "StatusRequest": [
            {**key, "action": "status", "order": door.post(order).order},
            {**key, "action": "status", "orders": "x"},
        ],
        "BalanceRequest": [{**key, "action": "balance"}],
        "ServicesRequest": [{**key, "action": "services"}],
    }
    for name, calls in requests.items():
        for fields in calls:
            contract.validate(name, fields)
            contract.validate("Request", fields)
            assert door.send(json.dumps(fields).encode(), JSON).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": "0"},
        {"quantity": 1.5},
        {"service": "x"},
        {"link": "ftp://x"},
        {"request_id": ""},
        {"key": "x"},
    ],
    ids=str,
)
def test_requests_that_are_refused_are_not_as_documented(
    door: Door, order: dict[str, str], wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        contract.validate("AddRequest", order | wrong)
    assert door.send(json.dumps(order | wrong).encode(), JSON).status == 400


def test_refusals_know_why() -> None:
    for kind in our_refusals() - {refusals.OperatorRefusal}:
        assert kind.__doc__
        assert kind.__doc__.startswith("It was refused because "), kind
