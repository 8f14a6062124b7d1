"""The table of what can happen to an order: refused, accepted and answered oddly, delivered or reported oddly.

A service names its behaviour (`catalog`); a link overrides it with the query parameter `sandbox=NAME`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum, auto
from types import MappingProxyType
from typing import Final

from panelry.connectors.sandbox import paces
from panelry.connectors.sandbox.paces import Pace
from panelry.connectors.sandbox.refusals import Problem, Refused


class Wire(StrEnum):
    """How an answer travels, or does not; done by `wire`."""

    PLAIN = auto()
    SILENT = auto()
    RESET = auto()
    BAD_GATEWAY = auto()
    LOGIN_PAGE = auto()
    TOO_MANY_REQUESTS = auto()
    TRUNCATED = auto()
    CUT_SHORT = auto()
    WRONG_TYPES = auto()
    NO_ID = auto()
    SLOW_DRIP = auto()
    HUGE = auto()


class Row(StrEnum):
    """How the status of an order is bent; done by `dialects`."""

    PLAIN = auto()
    REMAINS_TOO_LARGE = auto()
    REMAINS_NEGATIVE = auto()
    REMAINS_UNKNOWN = auto()
    WRONG_TYPES = auto()
    UNKNOWN_WORD = auto()
    ABSENT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What happens to an order. Not `accepts`: nothing is bought or logged, `refusal` or only `wire` tells.

    `exclusive`: one unfinished order a service and link. Not `grants_cancel`: asking answers an error.
    """

    accepts: bool = True
    refusal: str = ""
    wire: Wire = Wire.PLAIN
    pace: Pace = paces.steady
    row: Row = Row.PLAIN
    exclusive: bool = False
    grants_cancel: bool = True


def _refuses(text: str) -> Behaviour:
    return Behaviour(accepts=False, refusal=text)


BEHAVIOURS: Final = MappingProxyType(
    {
        # delivered in this or that way
        "instant": Behaviour(pace=paces.instant),
        "steady": Behaviour(),
        "partial": Behaviour(pace=paces.partial),
        "cancelled": Behaviour(pace=paces.cancelled),
        "drops": Behaviour(pace=paces.drops),
        "manual": Behaviour(pace=paces.manual),
        "refuses_cancel": Behaviour(grants_cancel=False),
        "backwards": Behaviour(pace=paces.backwards),
        "subscription": Behaviour(pace=paces.subscription),
        # refused: nothing accepted
        "refuses_link": _refuses("Bad link"),
        "refuses_quantity": _refuses("Quantity out of range"),
        "refuses_extras": _refuses("Service does not support drip feed"),
        "refuses_service": _refuses("Incorrect service ID"),
        "refuses_key": _refuses("Invalid API key"),
        "out_of_funds": _refuses("Not enough funds on balance"),
        "strange_error": _refuses("The stars are not aligned"),
        "busy_link": Behaviour(exclusive=True),
        # nothing accepted, and the client cannot know
        "bad_gateway": Behaviour(accepts=False, wire=Wire.BAD_GATEWAY),
        "lost_silent": Behaviour(accepts=False, wire=Wire.SILENT),
        "lost_reset": Behaviour(accepts=False, wire=Wire.RESET),
        "login_page": Behaviour(accepts=False, wire=Wire.LOGIN_PAGE),
        "too_many_requests": Behaviour(accepts=False, wire=Wire.TOO_MANY_REQUESTS),
        # accepted, and the client cannot know, or hardly; then delivered like "steady"
        "silent": Behaviour(wire=Wire.SILENT),
        "reset": Behaviour(wire=Wire.RESET),
        "accepted_bad_gateway": Behaviour(wire=Wire.BAD_GATEWAY),
        "accepted_login_page": Behaviour(wire=Wire.LOGIN_PAGE),
        "truncated": Behaviour(wire=Wire.TRUNCATED),
        "cut_short": Behaviour(wire=Wire.CUT_SHORT),
        "wrong_types": Behaviour(wire=Wire.WRONG_TYPES),
        "no_id": Behaviour(wire=Wire.NO_ID),
        "slow_drip": Behaviour(wire=Wire.SLOW_DRIP),
        "huge": Behaviour(wire=Wire.HUGE),
        # accepted and completed at once, its status bent
        "remains_too_large": Behaviour(pace=paces.instant, row=Row.REMAINS_TOO_LARGE),
        "remains_negative": Behaviour(pace=paces.instant, row=Row.REMAINS_NEGATIVE),
        "remains_unknown": Behaviour(pace=paces.instant, row=Row.REMAINS_UNKNOWN),
        "partial_remains_unknown": Behaviour(pace=paces.partial, row=Row.REMAINS_UNKNOWN),
        "wrong_status_types": Behaviour(pace=paces.instant, row=Row.WRONG_TYPES),
        "unknown_word": Behaviour(pace=paces.instant, row=Row.UNKNOWN_WORD),
        "absent": Behaviour(pace=paces.instant, row=Row.ABSENT),
    }
)

BUSY: Final = "You have active order with this link. Please wait until order being completed."
_CHOICE: Final = re.compile(r"[?&]sandbox=([a-z_]+)", re.ASCII)


def choose(of_service: str, link: str) -> Behaviour:
    """Return what an order does: as its link says, else as its service does. Refuses a name that is no behaviour."""
    match = _CHOICE.search(link)
    name = match[1] if match else of_service
    behaviour = BEHAVIOURS.get(name)
    if behaviour is None:
        raise Refused(Problem.FAULT, name=name)
    return behaviour
