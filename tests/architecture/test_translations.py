"""Every text that pages show is translated, whole, and written as its language writes."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import servers
from panelry import settings as panelry_settings

WEB: Final = Path(__file__).parents[2] / "src" / "panelry" / "web"
LANGUAGES: Final = {"tr": 2, "ar": 6}
"""How many forms a count has in each."""

TEMPLATES: Final = sorted(
    path for path in (WEB / "templates").rglob("*.html") if "styleguide" not in str(path.relative_to(WEB))
)
SAME_EVERYWHERE: Final = {
    "Panelry",
    "API",
    "POST",
    "GET",
    "URL",
    "JSON",
    "curl",
    "JavaScript",
    "Python",
    "PHP",
    "Node.js",
}
"""Names, which are written alike in every language."""
SPOKEN: Final = {"title", "aria-label", "placeholder", "alt", "data-label", "data-done", "label"}
"""Attributes that people read or hear."""
WORD: Final = re.compile(r"[^\W\d_]{2,}")
PLACEHOLDER: Final = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?[a-z]+[^>]*>")
TAG: Final = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
TRANSLATED: Final = re.compile(r"\{%\s*blocktrans(?:late)?\b.*?\{%\s*endblocktrans(?:late)?\s*%\}", re.DOTALL)
CLASSES: Final = re.compile(r"\{%\s*block body_class\s*%\}.*?\{%\s*endblock\s*%\}")
PARAMETER: Final = re.compile(
    r"\b(?:title|label|text|hint|limits|placeholder|link|says|finding|what|of|keep|deed|caption)=(\"[^\"]*\"|'[^']*')"
)


@cache
def _catalogue(language: str) -> Catalog:
    with _source(language).open("rb") as written:
        return read_po(written, locale=language)


def _source(language: str) -> Path:
    return WEB / "locale" / language / "LC_MESSAGES" / "django.po"


def _texts(language: str) -> list[Message]:
    return [message for message in _catalogue(language) if message.id]


def _forms(message: Message) -> list[str]:
    return list(message.string) if isinstance(message.string, list | tuple) else [message.string]


def _key(message: Message) -> tuple[str, str | None]:
    return message.id[0] if isinstance(message.id, list | tuple) else message.id, message.context


@pytest.fixture(scope="module")
def extracted() -> Iterator[Path]:
    """Return catalogues made anew from the sources, by the same command as `make messages`."""
    if shutil.which("xgettext") is None:
        assert panelry_settings.child_environment().get("CI") != "true", "run tests/install-system-packages"
        pytest.skip("needs GNU gettext: tests/install-system-packages installs it")
    with servers.open_folder() as folder:
        copy = folder / "web"
        shutil.copytree(WEB, copy, ignore=shutil.ignore_patterns("__pycache__", "*.mo", "static"))
        subprocess.run(
            [sys.executable, "-P", "-m", "django", "makemessages", "--settings", "panelry.web.configuration",
             "--locale", "tr", "--locale", "ar", "--add-location", "file", "--no-obsolete", "--no-wrap"],
            cwd=copy, check=True, stdout=subprocess.DEVNULL, env=panelry_settings.child_environment(),
        )  # fmt: skip
        yield copy


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogues_hold_what_the_pages_say_and_nothing_else(extracted: Path, language: str) -> None:
    with (extracted / _source(language).relative_to(WEB)).open("rb") as written:
        anew = {message.id for message in read_po(written)}
    assert anew == {message.id for message in _catalogue(language)}, "run make messages"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_somebody_has_looked_at_it(language: str) -> None:
    missing = [message.id for message in _texts(language) if message.fuzzy or not all(_forms(message))]
    assert not missing


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_count_has_all_the_forms_of_the_language(language: str) -> None:
    assert _catalogue(language).num_plurals == LANGUAGES[language]
    for message in _texts(language):
        if message.pluralizable and any(_forms(message)):
            assert len(_forms(message)) == LANGUAGES[language], message.id
            assert all(_forms(message)), message.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_same_gaps_and_marks_as_its_text(language: str) -> None:
    wrong = []
    for message in _texts(language):
        texts = list(message.id) if isinstance(message.id, list | tuple) else [message.id]
        allowed = [sorted(PLACEHOLDER.findall(text)) for text in texts]
        for form in filter(None, _forms(message)):
            found = sorted(PLACEHOLDER.findall(form))
            # A form for one, two or none may say its number in words.
            spoken = message.pluralizable and any(set(found) <= set(one) for one in allowed)
            if found not in allowed and not spoken:
                wrong.append((texts[0], form))
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_begins_and_ends_as_its_text_does(language: str) -> None:
    for message in _texts(language):
        text = message.id[0] if isinstance(message.id, list | tuple) else message.id
        for form in filter(None, _forms(message)):
            assert form.startswith("\n") == text.startswith("\n"), text
            assert form.endswith("\n") == text.endswith("\n"), text
            assert form == form.strip(" ") or text != text.strip(" "), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_arabic_and_turkish_are_written_with_latin_digits(language: str) -> None:
    for message in _texts(language):
        for form in filter(None, _forms(message)):
            assert not re.search("[\u0660-\u0669\u06f0-\u06f9]", form), form


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_gettext_reads_was_compiled_from_what_is_written(language: str) -> None:
    compiled = _source(language).with_suffix(".mo")
    assert compiled.exists(), "run make install"
    with compiled.open("rb") as read:
        in_use = {_key(message): _forms(message) for message in read_mo(read)}
    for message in _texts(language):
        if all(_forms(message)) and not message.fuzzy:
            assert in_use.get(_key(message)) == _forms(message), "run make install"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(WEB / "templates")))
def test_a_template_says_nothing_that_is_not_marked_for_translation(path: Path) -> None:
    source = path.read_text()
    unmarked = [text for tag in TAG.findall(source) for text in PARAMETER.findall(tag) if WORD.search(text)]
    reader = _Reader()
    reader.feed(TAG.sub(" ", TRANSLATED.sub(" ", CLASSES.sub("", source))))
    reader.close()
    assert not unmarked + reader.found


class _Reader(HTMLParser):
    """Collects what people would read of a page: texts outside of code, and attributes that are spoken."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._code += tag in {"code", "script", "style", "pre"}
        for name, value in attrs:
            if name in SPOKEN and value:
                self._note(value)

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in {"code", "script", "style", "pre"}

    def handle_data(self, data: str) -> None:
        if not self._code:
            self._note(data)

    def _note(self, text: str) -> None:
        if {*WORD.findall(text)} - SAME_EVERYWHERE:
            self.found.append(" ".join(text.split()))


def test_no_letter_is_made_large_or_small_by_a_style_or_a_template() -> None:
    """In Turkish `i` becomes `İ`: whoever reads an identifier that was made large in a page cannot type it."""
    for path in [*(WEB / "templates").rglob("*.html"), *(WEB / "static" / "panelry").rglob("*.css")]:
        text = path.read_text()
        assert "text-transform" not in text, path
        assert not re.search(r"\|\s*(upper|lower|title|capfirst)\b", text), path
