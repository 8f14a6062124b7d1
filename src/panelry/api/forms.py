"""Form, JSON and multipart bodies into one flat mapping (api-v2.md, 1 Transport)."""

import io
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from python_multipart import parse_form
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File

from panelry.api.answers import MalformedBody

MOST_FIELDS: Final = 20_000
_LIST_ITEM: Final = re.compile(r"([a-z]+)\[[0-9]*\]", re.ASCII)
_decode_json: Final = msgspec.json.Decoder(dict[str, Any]).decode


def read(content_type: str, body: bytes) -> dict[str, str]:
    """Return the fields of a body: trimmed, the empty ones left out, of a repeated one the last.

    `orders[]=a&orders[0]=b` becomes `orders=a,b`. Anything that is neither JSON nor multipart is read as a form.
    Raises `MalformedBody`.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        match media_type:
            case "application/json":
                pairs = _json(body)
            case "multipart/form-data":
                pairs = _multipart(content_type, body)
            case _:
                pairs = _form(body)
    except (ValueError, FormParserError, msgspec.DecodeError, RecursionError):
        raise MalformedBody from None
    return _flat(pairs)


def _form(body: bytes) -> Iterable[tuple[str, str]]:
    return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)


def _json(body: bytes) -> Iterable[tuple[str, str]]:
    return [(name, _text(value)) for name, value in _decode_json(body).items()]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise MalformedBody


def _multipart(content_type: str, body: bytes) -> Iterable[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []

    def keep(field: Field) -> None:
        pairs.append(((field.field_name or b"").decode(), (field.value or b"").decode()))

    def skip(_: File) -> None:
        raise MalformedBody

    if body.rstrip()[-2:] != b"--":
        raise MalformedBody  # the closing boundary is missing: the body was cut off
    headers = {"Content-Type": content_type.encode("latin-1"), "Content-Length": str(len(body)).encode()}
    parse_form(headers, io.BytesIO(body), keep, skip)
    return pairs


def _flat(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in value or "\0" in name:
            raise MalformedBody
        text = value.strip()
        item = _LIST_ITEM.fullmatch(name)
        if item:
            lists.setdefault(item[1], []).append(text)
        elif text:
            fields[name] = text
        else:
            fields.pop(name, None)
    for name, items in lists.items():
        fields[name] = ",".join([*([fields[name]] if name in fields else []), *items])
    return fields
