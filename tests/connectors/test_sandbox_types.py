"""What an order of any type becomes upstream is what a provider of that type takes, unit for unit."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.every_type import EVERY
from panelry.connectors.sandbox import drafts
from panelry.connectors.sandbox.catalog import SERVICES
from panelry.domain.catalog import Service, ServiceId
from panelry.domain.money import Micros
from panelry.domain.orders import PARAMETERS
from panelry.domain.orders.rules import read
from panelry.domain.orders.rules.types import upstream_parameters
from panelry.domain.refusals import Refusal

OF_TYPE = {service.type: service for service in SERVICES.values() if service.id >= 20}
NUMBERS = st.integers(0, 600_000).map(str) | st.integers(0, 5).map(str)
LINES = st.lists(st.sampled_from(["a", " b ", "", "\t", "ünï", "\U0001f600"]), max_size=25)
SAID = st.text(max_size=12) | NUMBERS | st.sampled_from(["\n", "\r\n"]).flatmap(
    lambda end: LINES.map(end.join)
)  # fmt: skip


def sent(type_: str, said: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """Return how many units an order is, and what goes upstream."""
    theirs = OF_TYPE[type_]
    ours = Service(
        id=ServiceId(1), type=type_, category=1, rate_micros=Micros(1), rate_per=1000, minimum=theirs.minimum,
        maximum=theirs.maximum, dripfeed=theirs.dripfeed, cancel=True, routes=(),
    )  # fmt: skip
    wanted = read(ours, said, today=date(2026, 11, 22))
    return wanted.quantity, upstream_parameters(type_, wanted.link, wanted.quantity, wanted.extras)


@pytest.mark.parametrize("type_", EVERY)
def test_a_complete_order_of_every_type_is_taken_upstream(type_: str) -> None:
    ten_lines = {
        name: "\n".join("abcdefghij") for name in ("comments", "usernames") if name in EVERY[type_].said
    }
    units, parameters = sent(type_, {**EVERY[type_].said, **ten_lines})
    assert drafts.check(OF_TYPE[type_], parameters).units == units


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(EVERY)), st.dictionaries(st.sampled_from(sorted(PARAMETERS)), SAID, max_size=6))
def test_whatever_is_taken_here_is_taken_upstream_for_as_many_units(
    type_: str, changes: dict[str, str]
) -> None:
    with suppress(Refusal):
        units, parameters = sent(type_, {**EVERY[type_].said, **changes})
        assert drafts.check(OF_TYPE[type_], parameters).units == units
