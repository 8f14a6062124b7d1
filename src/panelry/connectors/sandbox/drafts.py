"""From the fields of a call to a valid order: presence, numbers, lists, limits, drip-feed."""

import re
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from panelry.connectors.sandbox.catalog import Service
from panelry.connectors.sandbox.refusals import Problem, Refused
from panelry.connectors.sandbox.service_types import LISTS, TYPES, Fields, ServiceType

LARGEST: Final = 2_147_483_647
MOST_LINES: Final = 10_000
NUMBERS: Final = MappingProxyType(
    {
        "runs": (1, 1000),
        "interval": (1, 525_600),
        "answer_number": (1, LARGEST),
        "device": (1, 5),
        "type_of_traffic": (1, 3),
        "min": (1, LARGEST),
        "max": (1, LARGEST),
        "posts": (1, LARGEST),
        "old_posts": (0, LARGEST),
        "delay": (0, 525_600),
    }
)
_DIGITS: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_DATE: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A valid order. `units` is all that is bought: quantity times runs, lines, or the service's minimum where fixed.

    `link` is the user name where the type has no link; `runs` is 1 but for drip-feeds, `posts` 0 where open or absent.
    """

    link: str
    units: int
    runs: int = 1
    posts: int = 0


def check(service: Service, fields: Fields) -> Draft:
    """Check a call against its service's type; refuses with the first thing that is wrong."""
    type_ = TYPES[service.type]
    for name in type_.required:
        if name not in fields:
            raise Refused(Problem.MISSING, name=name)
    for name in (*type_.required, *type_.optional):
        if name in fields:
            _check(name, fields[name])
    if type_.check:
        type_.check(fields)
    return Draft(
        link=fields.get("link") or fields["username"],
        units=_units(service, type_, fields) * _runs(service, fields),
        runs=_runs(service, fields),
        posts=int(fields.get("posts", 0)) if "posts" in type_.optional else 0,
    )


def _units(service: Service, type_: ServiceType, fields: Fields) -> int:
    if not type_.units:
        return service.minimum
    if type_.units in LISTS:
        units = len(lines(fields[type_.units]))
    else:
        units = _number("Quantity", fields[type_.units], low=1)
    if not service.minimum <= units <= service.maximum:
        problem = Problem.TOO_SMALL if units < service.minimum else Problem.TOO_LARGE
        raise Refused(problem, low=service.minimum, high=service.maximum)
    return units


def _runs(service: Service, fields: Fields) -> int:
    if not {"runs", "interval"} & fields.keys():
        return 1
    if not service.dripfeed:
        raise Refused(Problem.DRIPFEED)
    runs = int(fields.get("runs", "1"))
    if runs > 1 and "interval" not in fields:
        raise Refused(Problem.MISSING, name="interval")
    return runs


def lines(text: str) -> list[str]:
    """Return the lines that are not blank."""
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


def _check(name: str, value: str) -> None:
    if name in NUMBERS:
        low, high = NUMBERS[name]
        if _number(name, value, low=low) > high:
            raise Refused(Problem.RANGE, name=name, low=low, high=high)
    elif name in LISTS:
        if not lines(value):
            raise Refused(Problem.MISSING, name=name)
        if len(lines(value)) > MOST_LINES:
            raise Refused(Problem.TOO_MANY_LINES, name=name, high=MOST_LINES)
    elif name == "expiry":
        _check_date(value)


def _number(name: str, value: str, *, low: int) -> int:
    if not _DIGITS.fullmatch(value) or int(value) < low:
        raise Refused(Problem.NOT_A_NUMBER, name=name)
    return int(value)


def _check_date(value: str) -> None:
    match = _DATE.fullmatch(value)
    try:
        if match:
            date(int(match[3]), int(match[2]), int(match[1]))
            return
    except ValueError:
        pass
    raise Refused(Problem.DATE, name="expiry")
