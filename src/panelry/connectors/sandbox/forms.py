"""Form, JSON and multipart bodies into one flat mapping of texts."""

import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from panelry.connectors.sandbox.refusals import Problem, Refused

_ITEM: Final = re.compile(r"(orders|refills)\[[0-9]*\]", re.ASCII)


async def fields(request: web.Request) -> dict[str, str]:
    """Read a body: values trimmed, empty ones absent, the last of a repeated field, `orders[]` joined with commas.

    Raises `Refused` for what cannot be read, and aiohttp's `HTTPRequestEntityTooLarge`.
    """
    try:
        match request.content_type:
            case "application/json":
                return _flat(_json_pairs(await request.read()))
            case "multipart/form-data":
                parts = await request.post()
                return _flat((name, part) for name, part in parts.items() if isinstance(part, str))
            case _:
                body = (await request.read()).decode()
                return _flat(parse_qsl(body, keep_blank_values=True, errors="strict"))
    except (ValueError, RecursionError) as error:
        raise Refused(Problem.BODY) from error


def _json_pairs(body: bytes) -> Iterable[tuple[str, str]]:
    document = json.loads(body)
    if not isinstance(document, dict):
        raise Refused(Problem.BODY)
    for name, value in document.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, bool) or not isinstance(item, str | int):
                raise Refused(Problem.BODY)
            yield (f"{name}[]" if isinstance(value, list) else name), str(item)


def _flat(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in pairs:
        match, text = _ITEM.fullmatch(name), value.strip()
        if not text:
            flat.pop(name, None)
        elif match:
            flat[match[1]] = f"{flat[match[1]]},{text}" if match[1] in flat else text
        else:
            flat[name] = text
    return flat
