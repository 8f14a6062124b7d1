"""Form, JSON and multipart bodies into one flat mapping (api-v2.md, 1 Transport)."""

import logging
import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from panelry.contract import MalformedBody

MOST_FIELDS: Final = 20_000
MOST_PARTS: Final = 1000
_SPACES: Final = " \t\r\n\f\v"
_LIST_ITEM: Final = re.compile(r"(orders|refills|events)\[([0-9]*)\]")
# What links and lists of ids are full of: none of it can be part of another escape, so it may be read before the rest.
_LINKS_AND_LISTS: Final = (("%2C", ","), ("%2F", "/"), ("%3A", ":"))
_decode_json: Final = msgspec.json.Decoder(dict[str, Any]).decode

# What is wrong with a caller's body is told to the caller; the library would fill the log with it.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


def read(content_type: str, body: bytes) -> dict[str, str]:
    """Return the fields of a body: trimmed, none of them empty, of a repeated one the last.

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
    pairs = body.decode().split("&")
    if len(pairs) > MOST_FIELDS:
        raise MalformedBody
    return [
        (_unquoted(name), _unquoted(value)) if "%" in pair or "+" in pair else (name, value)
        for pair in pairs
        for name, _, value in (pair.partition("="),)
    ]


def _unquoted(text: str) -> str:
    text = text.replace("+", " ")
    for escape, character in _LINKS_AND_LISTS:
        text = text.replace(escape, character)
    return unquote(text, errors="strict") if "%" in text else text


def _json(body: bytes) -> Iterable[tuple[str, str]]:
    values = _decode_json(body)
    if len(values) > MOST_FIELDS:
        raise MalformedBody
    return [(name, _text(value)) for name, value in values.items()]


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

    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary or body.count(boundary) > MOST_PARTS:
        raise MalformedBody
    ends: list[bool] = []
    parser = FormParser(
        "multipart/form-data", keep, skip, on_end=lambda: ends.append(True), boundary=boundary
    )
    parser.write(body)
    parser.finalize()
    if not ends:
        raise MalformedBody  # the closing boundary is missing: the body was cut off
    return pairs


def _flat(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    lists: dict[str, dict[str, str]] = {}
    for name, value in pairs:
        if "\0" in value or "\0" in name:
            raise MalformedBody
        text = value.strip(_SPACES)
        item = _LIST_ITEM.fullmatch(name) if name.endswith("]") else None
        if item:
            items = lists.setdefault(item[1], {})
            items[item[2] or f"#{len(items)}"] = text
        elif text:
            fields[name] = text
        else:
            fields.pop(name, None)
    for name, items in lists.items():
        texts = [fields.get(name, ""), *items.values()]
        if any(texts):
            fields[name] = ",".join(filter(None, texts))
    return fields
