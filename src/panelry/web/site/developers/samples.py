"""A call as a program of each language, as a person would write it down."""

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9._:/@,-]+")
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_ADDRESSES: Final = frozenset({"link", "url", "referring_url"})
"""Values that may hold `&` or `+` once a reader puts in their own."""


def curl(address: str, fields: Mapping[str, str]) -> str:
    """Write a call for a shell."""
    lines = [f"curl {address}", '  -d key="$PANEL_KEY"']
    for name, value in fields.items():
        option = "--data-urlencode" if name in _ADDRESSES else "-d"
        lines.append(f"  {option} {name}={value if _PLAIN.fullmatch(value) else shlex.quote(value)}")
    return " \\\n".join(lines) + "\n"


def javascript(address: str, fields: Mapping[str, str]) -> str:
    """Write a call for Node and everything that has `fetch`."""
    said = "".join(f"    {name}: {_quoted(value)},\n" for name, value in fields.items())
    return f"""const response = await fetch({_quoted(address)}, {{
  method: "POST",
  body: new URLSearchParams({{
    key: process.env.PANEL_KEY,
{said}  }}),
}});
const answer = await response.json();
if (!response.ok) throw new Error(answer.error);
console.log(answer);
"""


def python(address: str, fields: Mapping[str, str]) -> str:
    """Write a call for Python with `requests`."""
    said = "".join(f'        "{name}": {_number_or_text(value)},\n' for name, value in fields.items())
    return f"""import os

import requests

response = requests.post(
    {_quoted(address)},
    data={{
        "key": os.environ["PANEL_KEY"],
{said}    }},
    timeout=30,
)
answer = response.json()
if not response.ok:
    raise RuntimeError(answer["error"])
print(answer)
"""


def php(address: str, fields: Mapping[str, str]) -> str:
    """Write a call for PHP with its curl extension."""
    said = "".join(f"        '{name}' => {_php(value)},\n" for name, value in fields.items())
    return f"""<?php
$call = curl_init({_php(address)});
curl_setopt_array($call, [
    CURLOPT_POSTFIELDS => http_build_query([
        'key' => getenv('PANEL_KEY'),
{said}    ]),
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 30,
]);
$answer = json_decode(curl_exec($call), true);
if (curl_getinfo($call, CURLINFO_RESPONSE_CODE) !== 200) {{
    throw new RuntimeException($answer['error']);
}}
print_r($answer);
"""


LANGUAGES: Final[Mapping[str, tuple[str, Callable[[str, Mapping[str, str]], str]]]] = {
    "curl": ("curl", curl),
    "javascript": ("JavaScript", javascript),
    "python": ("Python", python),
    "php": ("PHP", php),
}
"""By what their tabs are called in the page: the language's name, and what writes a call."""
FENCES: Final = {"curl": "bash", "javascript": "javascript", "python": "python", "php": "php"}
"""What a language is called behind the three backticks of Markdown."""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _number_or_text(value: str) -> str:
    return value if _INTEGER.fullmatch(value) else _quoted(value)


def _php(value: str) -> str:
    if _INTEGER.fullmatch(value):
        return value
    if "\n" in value:
        return _quoted(value).replace("$", "\\$")
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
