"""Code with the few classes that our style sheets give colours to."""

from functools import lru_cache
from itertools import groupby
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, String, _TokenType

_CLASSES: Final[tuple[tuple[_TokenType, str], ...]] = (
    (Comment, "c"),
    (String, "s"),
    (Number, "mi"),
    (Keyword, "k"),
    (Name.Tag, "nt"),
)


@lru_cache(maxsize=2048)
def highlighted(code: str, language: str) -> SafeString:
    """Return code as HTML; `language` is what Markdown calls it, empty for none."""
    lexer = get_lexer_by_name(language or "text", stripnl=False, ensurenl=False)
    runs = groupby(lexer.get_tokens(code), key=lambda token: _class_of(token[0]))
    return mark_safe("".join(_run(class_, "".join(text for _, text in run)) for class_, run in runs))  # noqa: S308 (escaped)


def _class_of(kind: _TokenType) -> str:
    return next((class_ for known, class_ in _CLASSES if kind in known), "")


def _run(class_: str, text: str) -> str:
    return f'<span class="{class_}">{escape(text)}</span>' if class_ else escape(text)
