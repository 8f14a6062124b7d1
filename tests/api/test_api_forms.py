"""Forms are read as the web reads them, the quick way, too."""

from urllib.parse import quote_plus, unquote_plus, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from panelry.api import forms
from panelry.contract import MalformedBody

FORM = "application/x-www-form-urlencoded"


@given(text=st.text(alphabet="%+,/:23ACFacf57ü\U0001f600x", max_size=30))
@example("%252C%2525%252F")
@example("%%2C%2%2C2C%3%3AA")
@example("%C3%2C%BC")
def test_escapes_mean_what_they_mean_everywhere(text: str) -> None:
    try:
        meant = unquote_plus(text, errors="strict").strip()
    except UnicodeDecodeError:
        with pytest.raises(MalformedBody):
            forms.read(FORM, f"name={text}".encode())
    else:
        assert forms.read(FORM, f"name={text}".encode()).get("name", "") == meant


@given(
    fields=st.dictionaries(
        st.text(min_size=1).filter(lambda name: not name.endswith("]")),
        st.text(min_size=1).filter(lambda text: text == text.strip()),
    ).filter(lambda fields: "\0" not in repr(fields) and "\\x00" not in repr(fields))
)
def test_what_a_program_writes_is_what_is_read(fields: dict[str, str]) -> None:
    assert forms.read(FORM, urlencode(fields).encode()) == fields


def test_links_and_lists_are_read_whole() -> None:
    link, orders = "https://example.com:8080/a,b/%2C?c=d&e=%", "ord_01,ord_02"
    body = f"link={quote_plus(link)}&orders={quote_plus(orders)}"
    assert forms.read(FORM, body.encode()) == {"link": link, "orders": orders}
