"""What holds for every page, in every language, size and theme."""

from itertools import product
from typing import Final

from visits import LANGUAGES, THEMES, WIDTHS, Reader

MOST_BYTES: Final = 100_000


def look(reader: Reader, path: str, language: str) -> None:
    """Read a page in one language; complain about all that is wrong with it at once."""
    with reader.visit(path, language=language) as visit:
        assert visit.status == 200, f"{path} answers {visit.status}"
        wrong = [f"the console says: {said}" for said in visit.complaints]
        wrong += [f"it asks elsewhere: {url}" for url in visit.elsewhere]
        if visit.transferred > MOST_BYTES:
            wrong.append(f"it weighs {visit.transferred} bytes")
        speaks = visit.page.locator("html").get_attribute("lang")
        if speaks != language:
            wrong.append(f"it speaks {speaks}")
        for width, theme in product(WIDTHS, THEMES):
            visit.wear(width=width, theme=theme)
            if (over := visit.overflow()) > 0:
                wrong.append(f"at {width} px it is {over} px too wide")
            wrong += [f"{width} px, {theme}: {barrier}" for barrier in visit.barriers()]
    assert not wrong, "\n".join([f"{path} in {language}:", *wrong])


def read_without_scripts(reader: Reader, path: str) -> None:
    """Read a page in a browser that runs no scripts."""
    with reader.visit(path, scripts=False) as visit:
        assert visit.status == 200, f"{path} answers {visit.status}"
        assert visit.page.locator("main h1").first.is_visible(), path
        assert not visit.elsewhere


def in_language(path: str, language: str) -> str:
    """Return where a public page stands in a language."""
    return path if language == LANGUAGES[0] else f"/{language}{path}"
