"""The form by which a reader tries a call: it posts to the API itself, so that we never see the key in between."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from panelry.web.site.developers.examples import Example

OWN: Final[Mapping[str, str]] = {
    "service": "",
    "order": "",
    "orders": "",
    "refill": "",
    "refills": "",
    "webhook": "",
    "url": "",
}
"""What only the reader can know: it is left for them to fill in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the form: what stands in it, and what it could look like."""

    name: str
    value: str
    hint: str


def fields_of(example: Example) -> list[Field]:
    """Return the fields of a call, for one reader at one moment: a request id is new, so that it orders once."""
    return [
        Field(name=name, value=_value(name, said), hint=said if name in OWN else "")
        for name, said in example.fields.items()
    ]


def _value(name: str, said: str) -> str:
    return uuid4().hex if name == "request_id" else OWN.get(name, said)
