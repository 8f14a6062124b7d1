"""Our first texts as they stand in `texts/`: Markdown files, one for each language.

A file's first line is `# Title`, its first paragraph the summary, the rest the body. `questions.*.md` holds all
questions: `# topic`, then `## Question {#slug}` with the answer below.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("en", "tr", "ar")
TEXTS: Final = Path(__file__).parent / "texts"
_QUESTION: Final = re.compile(r"(?P<title>.+?) \{#(?P<slug>[a-z0-9-]+)\}\n(?P<body>.*)", re.DOTALL)

Fields = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstQuestion:
    """A question of ours with its answer; `fields` are those of `Written`."""

    topic: str
    slug: str
    position: int
    fields: Fields


def documents(folder: str) -> Iterator[tuple[str, Fields]]:
    """Yield each document of a folder in `texts/`, by its slug, with the fields of `Written`."""
    for path in sorted((TEXTS / folder).glob("*.en.md")):
        slug = path.name.removesuffix(".en.md")
        fields: Fields = {}
        for language in LANGUAGES:
            text = path.with_name(f"{slug}.{language}.md").read_text(encoding="utf-8")
            title, description, body = text.removeprefix("# ").split("\n\n", 2)
            fields |= {
                f"title_{language}": title.strip(),
                f"description_{language}": " ".join(description.split()),
                f"body_{language}": body.strip(),
            }
        yield slug, fields


def questions() -> list[FirstQuestion]:
    """Return all questions, in their order."""
    known: dict[str, FirstQuestion] = {}
    for language in LANGUAGES:
        text = (TEXTS / f"questions.{language}.md").read_text(encoding="utf-8")
        for topic in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
            name, *found = re.split(r"^## ", topic, flags=re.MULTILINE)
            for one in found:
                match = _QUESTION.fullmatch(one)
                assert match, one
                said = {f"title_{language}": match["title"], f"body_{language}": match["body"].strip()}
                before = known.get(match["slug"])
                known[match["slug"]] = FirstQuestion(
                    topic=name.strip(),
                    slug=match["slug"],
                    position=before.position if before else 10 * (len(known) + 1),
                    fields=(before.fields if before else {}) | said,
                )
    return list(known.values())
