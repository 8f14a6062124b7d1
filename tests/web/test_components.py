"""What components promise to the pages that include them."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from hypothesis import given as any_of
from hypothesis import strategies as st

from panelry.domain.orders import OrderState
from panelry.web.components import HEIGHT, WIDTH, Point, Tab, chart

pytestmark = pytest.mark.usefixtures("pages")
WEB = Path(__file__).parents[2] / "src" / "panelry" / "web"
COMPONENTS = sorted((WEB / "templates" / "components").glob("*.html"))


def shown(component: str, **parameters: Any) -> str:
    """Return a component as a page would have it."""
    return render_to_string(f"components/{component}.html", parameters)


@pytest.mark.parametrize("path", COMPONENTS, ids=lambda path: path.stem)
def test_a_component_begins_with_what_it_takes_and_is_used(path: Path) -> None:
    assert re.match(r"\{# .+ #\}", path.read_text())
    templates = "".join(one.read_text() for one in (WEB / "templates").rglob("*.html"))
    assert f"components/{path.name}" in templates


@pytest.mark.parametrize("path", sorted((WEB / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_every_icon_of_a_template_is_in_the_sprite(path: Path) -> None:
    known = set(re.findall(r'<symbol id="([\w-]+)"', (WEB / "static/panelry/icons.svg").read_text()))
    assert set(re.findall(r'\bicon="([\w-]+)"', path.read_text())) <= known


def test_the_style_guide_has_every_state_of_an_order(client: Client) -> None:
    page = client.get("/styleguide/").content.decode()
    assert set(re.findall(r'data-state="(\w+)"', page)) >= {state.value for state in OrderState}


def test_a_mistake_is_tied_to_its_field_and_takes_the_place_of_the_hint() -> None:
    field = shown(
        "field", name="link", label="Link", type="url", value="x", hint="A page.", error="Not a link."
    )
    assert 'aria-invalid="true" aria-describedby="link-error"' in field
    assert 'id="link-error"' in field
    assert "A page." not in field


@pytest.mark.parametrize("component", ["field", "text", "select"])
def test_what_people_typed_cannot_become_markup(component: str) -> None:
    bad = '"><script>alert(1)</script>'
    parameters = {
        "name": "n",
        "label": bad,
        "value": bad,
        "type": "text",
        "hint": bad,
        "options": [(bad, bad)],
    }
    assert "<script>" not in shown(component, **parameters)


def test_a_pager_leads_nowhere_at_its_ends() -> None:
    assert shown("pager", says="All").count('aria-disabled="true"') == 2
    middle = shown("pager", says="Some", newer="?newer=1", older="?older=2")
    assert 'rel="prev" href="?newer=1"' in middle
    assert 'rel="next" href="?older=2"' in middle


def test_one_tab_is_where_we_are() -> None:
    tabs = [Tab(title="All", address="?", is_current=True), Tab(title="Pending", address="?p", count="3")]
    assert shown("tabs", tabs=tabs, label="State").count('aria-current="page"') == 1


@any_of(st.lists(st.integers(0, 10**15), min_size=1, max_size=60))
def test_bars_stay_within_their_chart_and_keep_their_proportions(values: list[int]) -> None:
    points = [Point(label=str(place), value=value) for place, value in enumerate(values)]
    drawn = chart(points, str)
    top = Decimal(drawn.scale[0])
    assert max(values) <= top
    assert not max(values) or top < 10 * max(values)
    for bar, value in zip(drawn.bars, values, strict=True):
        assert Decimal(bar.x) + Decimal(bar.width) <= WIDTH
        assert Decimal(bar.y) + Decimal(bar.height) == HEIGHT
        assert abs(Decimal(bar.height) - HEIGHT * value / top) <= Decimal("0.05")
        assert bar.shown == str(value)


def test_a_chart_says_what_it_found_and_has_its_figures_as_a_table() -> None:
    drawn = chart(
        [Point(label="Monday", value=3), Point(label="Tuesday", value=0)], lambda value: f"{value} calls"
    )
    figure = shown("chart", chart=drawn, finding="Calls fell.", of="Day", what="Calls")
    assert "<figcaption>Calls fell.</figcaption>" in figure
    assert '<th scope="row">Tuesday</th><td class="num">0 calls</td>' in figure
    assert 'aria-hidden="true"' in figure
