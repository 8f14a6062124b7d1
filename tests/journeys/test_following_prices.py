"""A panel whose provider misbehaves with its list: by commands, and with customers looking at the price list."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from panels import Panel, panel

import servers
from connectors import sandboxes
from connectors.sandboxes import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A panel that sells some services of one sandbox; a second one could stand in."""

    panel: Panel
    upstream: Upstream
    key: str
    services: dict[str, int]

    def fault(self, name: str | None) -> None:
        assert self.upstream.faults(services=name)[0] == 200

    def sync(self) -> list[str]:
        return [row["change"] for row in self.panel.cli("catalog", "sync", "Sandbox")["changes"]]

    def rates(self) -> dict[str, str]:
        """Return what customers see, by the provider's numbers."""
        status, listed = self.panel.call(self.key, "services")
        assert status == 200
        names = {number: name for name, number in self.services.items()}
        return {names[row["service"]]: row["rate"] for row in listed if row["service"] in names}

    def show(self, name: str) -> Any:
        return self.panel.cli("service", "show", str(self.services[name]))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with ExitStack() as stack:
        folder = stack.enter_context(servers.open_folder())
        first = stack.enter_context(sandboxes.running(folder / "first.jsonl"))
        second = stack.enter_context(sandboxes.running(folder / "second.jsonl"))
        one = stack.enter_context(panel(folder / "data"))
        key = one.customer(credit="100")
        one.provider("Sandbox", first.url)
        one.provider("Spare", second.url)
        made = one.cli(
            "catalog", "import", "Sandbox", "--services", "1,2,3,4,21", "--markup", "20", "--markup-fixed", "0.013",
            "--rounding", "0.05",
        )  # fmt: skip
        services = {row["provider_service"]: row["service"] for row in made["services"]}
        one.cli("catalog", "sync", "Spare")
        yield Stage(panel=one, upstream=first, key=key, services=services)


USUAL = {"1": "1.25", "2": "1.25", "3": "1.25", "4": "1.25", "21": "90.05"}


def test_prices_a_thousand_times_dearer_wait_for_a_person(stage: Stage) -> None:
    assert (stage.rates(), stage.sync()) == (USUAL, [])
    stage.fault("price_x1000")
    assert sorted(stage.sync()) == sorted(["off_sale", "held", "route_off"] * 5)
    assert stage.rates() == {}
    refused = stage.panel.call(
        stage.key,
        "add",
        service=stage.services["1"],
        link="https://example.com/1",
        quantity=100,
        request_id="dear",
    )
    assert refused == (400, {"error": "Service not found"})
    moves = {row["provider_service"]: row for row in stage.panel.cli("catalog", "moves")["moves"]}
    assert moves.keys() == USUAL.keys()
    assert {(m["before"], m["after"], m["rate"], m["route"]) for n, m in moves.items() if n != "21"} == {
        ("1.00", "1000.00", "1.25", "off")
    }
    approved = stage.panel.cli("catalog", "approve", str(moves["1"]["move"]))
    assert approved["approved"] == [moves["1"]["move"]]
    stage.panel.cli("catalog", "refuse", str(moves["2"]["move"]), str(moves["3"]["move"]))
    assert stage.rates() == {"1": "1200.05"}
    assert stage.sync() == []
    stage.fault(None)
    assert stage.sync().count("on_sale") == 4
    assert stage.rates() == {**USUAL, "1": "1200.05"}
    [left] = stage.panel.cli("catalog", "moves")["moves"]
    assert (left["before"], left["after"], left["route"]) == ("1000.00", "1.00", "on")
    stage.panel.cli("catalog", "approve", str(left["move"]))
    assert (stage.rates(), stage.panel.cli("catalog", "moves")) == (USUAL, {"moves": []})


@pytest.mark.parametrize("fault", ["half", "error", "empty", "wrong_types"])
def test_a_list_that_is_not_to_be_believed_is_reported_and_changes_nothing(stage: Stage, fault: str) -> None:
    stage.fault(fault)
    try:
        result = stage.panel.run("catalog", "sync", "Sandbox", "--json")
        assert (result.code, list(result.value["failed"]), result.value["synced"]) == (1, ["Sandbox"], {})
        assert stage.rates() == USUAL
    finally:
        stage.fault(None)


def test_half_a_list_that_a_person_believes_takes_services_off_and_the_whole_one_brings_them_back(
    stage: Stage,
) -> None:
    stage.fault("half")
    try:
        said = stage.panel.cli("catalog", "sync", "Sandbox", "--believe")
        off = {row["name"] for row in said["changes"] if row["change"] == "off_sale"}
        assert off == {"instant", "partial", "Package"}
        assert stage.show("1")["routes"][0]["off_reason"] == "vanished"
    finally:
        stage.fault(None)
    assert stage.sync() == ["on_sale", "route_on"] * 3
    assert stage.rates() == USUAL
    told = stage.panel.cli("catalog", "updates", "--most", "3")["updates"]
    assert sorted(row["after"] for row in told if row["change"] == "on_sale") == [
        "1.25",
        "1.25",
        "90.05 per package",
    ]


def test_a_spare_route_keeps_a_service_on_sale(stage: Stage) -> None:
    number = str(stage.services["4"])
    added = stage.panel.cli("route", "add", number, "Spare", "4", "--priority", "200")
    assert (added["service"], added["cost"], added["rate"]) == (stage.services["4"], "1.00", "1.25")
    stage.fault("price_x1000")
    stage.sync()
    try:
        assert stage.rates() == {"4": "1.25"}
        assert [row["state"] for row in stage.show("4")["routes"]] == ["off", "on"]
    finally:
        stage.fault(None)
        stage.sync()
    stage.panel.cli("route", "set", str(added["route"]), "--state", "off")
    assert stage.show("4")["routes"][1]["off_reason"] == "staff"
    assert stage.rates() == USUAL


def test_a_service_is_changed_by_its_fields(stage: Stage) -> None:
    number = str(stage.services["3"])
    said = stage.panel.cli(
        "service", "set", number, "name=Renamed = with a sign", "rate=2.5", "min=20", "max=30", "refill=off",
        "category=Elsewhere", "description=", "refill_days=7",
    )  # fmt: skip
    assert said == stage.show("3")
    fields = ("name", "rate", "min", "max", "refill", "category", "refill_days", "follows_prices", "listed")
    assert [said[field] for field in fields] == [
        "Renamed = with a sign", "2.50", 20, 30, False, "Elsewhere", 7, False, True,
    ]  # fmt: skip
    assert stage.rates()["3"] == "2.50"
    assert stage.panel.cli("service", "set", number, "state=off_sale")["off_reason"] == "staff"
    assert "3" not in stage.rates()
    back = stage.panel.cli(
        "service", "set", number, "state=on_sale", "follows_prices=1", "markup=50", "rounding=1"
    )
    assert (back["rate"], back["markup"], back["rounding"]) == ("2.00", "50", "1.00")


def test_one_wrong_value_changes_nothing(stage: Stage) -> None:
    before, number = stage.show("2"), str(stage.services["2"])
    for wrong in ("rate=-1", "rate=0.5", "min=0", "max=x", "cancel=maybe", "markup=1e3", "name="):
        result = stage.panel.run("service", "set", number, "description=Never seen", wrong, "--json")
        assert (result.code, bool(result.value["error"])) == (1, True), (wrong, result)
    for wrong in (["colour=red"], ["name"], ["min=5", "min=6"], []):
        assert stage.panel.run("service", "set", number, *wrong).code == 2
    assert stage.show("2") == before
