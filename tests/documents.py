"""docs/resellers: the pages for developers as Markdown, in English, of a panel as it is after its first start.

`python tests/documents.py` writes them anew; a test tells when that was forgotten.
"""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[1] / "docs" / "resellers"


def documents() -> dict[str, str]:
    """Return each file's name with its text; Django's settings must have been chosen."""
    from django.utils.translation import override

    from panelry.web.site.developers.markdown import markdown
    from panelry.web.site.developers.pages import PAGES
    from panelry.web.site.developers.panel import Panel

    with override("en"):
        return {f"{page.slug}.md": markdown(page, Panel()) for page in PAGES}


if __name__ == "__main__":
    import django

    from panelry.settings import choose_django_settings

    choose_django_settings()
    django.setup()
    for old in FOLDER.glob("*.md"):
        old.unlink()
    for name, text in documents().items():
        (FOLDER / name).write_text(text)
