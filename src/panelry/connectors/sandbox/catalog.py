"""The fixed catalogue (command-line.md, Sandbox catalogue): ids 1 to 15 behave, ids 20 to 36 have a type each."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from panelry.connectors.sandbox.service_types import TYPES
from panelry.domain.money import Micros, ceil_div

DRIPFEED: Final = frozenset({1, 2, 20, 35})
PACKAGES: Final = frozenset({"Package", "Custom Comments Package"})
FIRST_TYPE_ID: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One row of the catalogue; the rate is per 1,000 units, or per package where `packaged`."""

    id: int
    name: str
    type: str
    category: str
    behaviour: str
    rate_micros: Micros
    minimum: int
    maximum: int
    dripfeed: bool
    refill: bool
    cancel: bool
    packaged: bool

    def charge_micros(self, units: int) -> Micros:
        """Return the price of that many units, rounded up."""
        return Micros(ceil_div(self.rate_micros * units, 1 if self.packaged else 1000))


_BEHAVING: Final = (
    (1, "instant", "instant"),
    (2, "steady", "steady"),
    (3, "partial", "partial"),
    (4, "cancelled", "cancelled"),
    (5, "refuses link", "refuses_link"),
    (6, "accepts then hangs", "silent"),
    (7, "accepts then resets", "reset"),
    (8, "bad gateway", "bad_gateway"),
    (9, "busy link", "busy_link"),
    (10, "drops", "drops"),
    (11, "manual pace", "manual"),
    (12, "refuses cancel", "refuses_cancel"),
    (13, "out of funds", "out_of_funds"),
    (14, "goes backwards", "backwards"),
    (15, "no refill", "instant"),
)


def _service(id_: int, name: str, type_: str, behaviour: str) -> Service:
    packaged = type_ in PACKAGES
    return Service(
        id=id_,
        name=name,
        type=type_,
        category="Sandbox: behaviours" if id_ < FIRST_TYPE_ID else "Sandbox: types",
        behaviour=behaviour,
        rate_micros=Micros(75_000_000 if packaged else 1_000_000),
        minimum=1 if packaged else 10,
        maximum=1 if packaged else 1_000_000,
        dripfeed=id_ in DRIPFEED,
        refill=name != "no refill",
        cancel=name != "no refill",
        packaged=packaged,
    )


_ROWS: Final = (
    *(_service(id_, name, "Default", behaviour) for id_, name, behaviour in _BEHAVING),
    *(
        _service(id_, type_, type_, "subscription" if type_ == "Subscriptions" else "instant")
        for id_, type_ in enumerate(TYPES, start=FIRST_TYPE_ID)
    ),
)
SERVICES: Final = MappingProxyType({row.id: row for row in _ROWS})
"""Services by id, in the order in which they are listed."""
