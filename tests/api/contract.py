"""docs/api/openapi.yaml as a judge: every answer that a test gets goes past it."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final[dict[str, Any]] = yaml.safe_load((ROOT / "docs/api/openapi.yaml").read_text())
RESPONSES: Final[dict[str, Any]] = DOCUMENT["paths"]["/api/v2"]["post"]["responses"]
TRANSPORT: Final = frozenset({"content-type", "content-length", "date", "connection"})
ERRORS: Final = re.compile(r"\| ([0-9]{3}) \| `([^`]+)` \| ([^|]+) \| ([^|]+) \|")


def validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """Return what validates by a schema of the document."""
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


_bodies: Final = {
    status: validator(response["content"]["application/json"]["schema"])
    for status, response in RESPONSES.items()
}
_schemas: Final = {name: validator(schema) for name, schema in DOCUMENT["components"]["schemas"].items()}


def _headers(response: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    known = DOCUMENT["components"]["headers"]
    return {
        name.lower(): known[header["$ref"].rpartition("/")[2]] if "$ref" in header else header
        for name, header in response["headers"].items()
    }


_expected_headers: Final = {status: _headers(response) for status, response in RESPONSES.items()}


def validate(name: str, value: Any) -> None:
    """Judge a value by one schema of the document."""
    _schemas[name].validate(value)


def judge(status: int, headers: Mapping[str, str], body: bytes | None) -> None:
    """Judge a whole answer; without a body where the method was HEAD."""
    if body is not None:
        _bodies[str(status)].validate(json.loads(body))
    assert headers["content-type"] == "application/json"
    expected = _expected_headers[str(status)]
    for name, header in expected.items():
        if name in headers:
            Draft202012Validator(header["schema"]).validate(headers[name])
        else:
            assert not header.get("required"), f"{name} is missing"
    assert headers.keys() <= expected.keys() | TRANSPORT


def documented_texts() -> set[tuple[int, str]]:
    """Return each error text of the document with its status; placeholders in capitals."""
    found = set()
    for status, response in RESPONSES.items():
        name = response["content"]["application/json"]["schema"].get("$ref", "").rpartition("/")[2]
        if int(status) >= 400:
            texts = DOCUMENT["components"]["schemas"][name]["properties"]["error"]["anyOf"]
            found |= {(int(status), text.get("title") or text["const"]) for text in texts}
    return found


def listed_errors() -> list[tuple[int, str, str, str]]:
    """Return the rows of docs/resellers/errors.md: status, text, cause, what to do."""
    rows = ERRORS.findall((ROOT / "docs/resellers/errors.md").read_text())
    return [(int(status), text, cause.strip(), cure.strip()) for status, text, cause, cure in rows]
