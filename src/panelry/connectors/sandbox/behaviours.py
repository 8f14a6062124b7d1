"""The table of what can happen to an order: refused, accepted and answered oddly, delivered or reported oddly.

A service names its behaviour (`catalog`); a link overrides it with the query parameter `sandbox=NAME`, and so does a
subscription's user name, which may be no more than `sandbox=NAME`.
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
    DISGUISED = auto()
    OTHER_IDS = auto()
    MISSING_IDS = auto()


class Row(StrEnum):
    """How the status of an order is bent; done by `dialects`."""

    PLAIN = auto()
    REMAINS_TOO_LARGE = auto()
    REMAINS_NEGATIVE = auto()
    REMAINS_UNKNOWN = auto()
    REMAINS_ZERO = auto()
    STILL_CHARGED = auto()
    NO_COUNTS = auto()
    WRONG_TYPES = auto()
    UNKNOWN_WORD = auto()
    DRIP_FEED = auto()
    ABSENT = auto()
    OTHER_ID = auto()


class Refilling(StrEnum):
    """What becomes of a refill that was asked for."""

    RESTORES = auto()
    REFUSED = auto()
    REJECTED = auto()
    PENDING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """What happens to an order. Not `accepts`: nothing is bought or logged, `refusal` or only `wire` tells.

    `exclusive`: one unfinished order a service and link. Not `grants_cancel`: asking answers an error; not
    `heeds_cancel`: it answers yes and nothing follows. `cancel_wire` and `refill_wire` are how the first yes to one
    travels; `refilled` is the pace after a refill, in seconds since it was done.
    """

    accepts: bool = True
    refusal: str = ""
    wire: Wire = Wire.PLAIN
    pace: Pace = paces.steady
    row: Row = Row.PLAIN
    exclusive: bool = False
    grants_cancel: bool = True
    heeds_cancel: bool = True
    cancel_wire: Wire = Wire.PLAIN
    refilling: Refilling = Refilling.RESTORES
    refilled: Pace = paces.restored
    refill_wire: Wire = Wire.PLAIN


def _refuses(text: str) -> Behaviour:
    return Behaviour(accepts=False, refusal=text)


BEHAVIOURS: Final = MappingProxyType(
    {
        # delivered in this or that way
        "instant": Behaviour(pace=paces.instant),
        "steady": Behaviour(),
        "partial": Behaviour(pace=paces.partial),
        "corrected_up": Behaviour(pace=paces.corrected_up),
        "corrected_down": Behaviour(pace=paces.corrected_down),
        "cancelled": Behaviour(pace=paces.cancelled),
        "fails": Behaviour(pace=paces.fails),
        "drops": Behaviour(pace=paces.drops),
        "drops_again": Behaviour(pace=paces.drops, refilled=paces.drops_again),
        "drops_to_partial": Behaviour(pace=paces.drops_to_partial),
        "manual": Behaviour(pace=paces.manual),
        "backwards": Behaviour(pace=paces.backwards),
        # posts that arrive in this or that way
        "subscription": Behaviour(pace=paces.subscription),
        "pauses": Behaviour(pace=paces.pauses),
        "stays_paused": Behaviour(pace=paces.stays_paused),
        "expires": Behaviour(pace=paces.expires),
        "ends_early": Behaviour(pace=paces.ends_early),
        # delivered like "steady", and asked for a cancel
        "refuses_cancel": Behaviour(grants_cancel=False),
        "ignores_cancel": Behaviour(heeds_cancel=False),
        "cancel_silent": Behaviour(cancel_wire=Wire.SILENT),
        "cancel_reset": Behaviour(cancel_wire=Wire.RESET),
        "cancel_bad_gateway": Behaviour(cancel_wire=Wire.BAD_GATEWAY),
        # delivered like "drops", and asked for a refill
        "refuses_refill": Behaviour(pace=paces.drops, refilling=Refilling.REFUSED),
        "rejects_refill": Behaviour(pace=paces.drops, refilling=Refilling.REJECTED),
        "refill_pending": Behaviour(pace=paces.drops, refilling=Refilling.PENDING),
        "refill_silent": Behaviour(pace=paces.drops, refill_wire=Wire.SILENT),
        "refill_reset": Behaviour(pace=paces.drops, refill_wire=Wire.RESET),
        "refill_bad_gateway": Behaviour(pace=paces.drops, refill_wire=Wire.BAD_GATEWAY),
        "refill_no_id": Behaviour(pace=paces.drops, refill_wire=Wire.NO_ID),
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
        # accepted, and the client can know
        "disguised": Behaviour(wire=Wire.DISGUISED),
        # accepted and ended at once, its status bent
        "remains_too_large": Behaviour(pace=paces.instant, row=Row.REMAINS_TOO_LARGE),
        "remains_negative": Behaviour(pace=paces.instant, row=Row.REMAINS_NEGATIVE),
        "remains_unknown": Behaviour(pace=paces.instant, row=Row.REMAINS_UNKNOWN),
        "partial_remains_unknown": Behaviour(pace=paces.partial, row=Row.REMAINS_UNKNOWN),
        "cancelled_remains_zero": Behaviour(pace=paces.cancelled, row=Row.REMAINS_ZERO),
        "cancelled_still_charged": Behaviour(pace=paces.cancelled, row=Row.STILL_CHARGED),
        "no_counts": Behaviour(pace=paces.instant, row=Row.NO_COUNTS),
        "wrong_status_types": Behaviour(pace=paces.instant, row=Row.WRONG_TYPES),
        "unknown_word": Behaviour(pace=paces.instant, row=Row.UNKNOWN_WORD),
        "drip_feed": Behaviour(pace=paces.instant, row=Row.DRIP_FEED),
        "absent": Behaviour(pace=paces.instant, row=Row.ABSENT),
        "other_id": Behaviour(pace=paces.instant, row=Row.OTHER_ID),
    }
)

BUSY: Final = "You have active order with this link. Please wait until order being completed."
_CHOICE: Final = re.compile(r"(?:^|[?&])sandbox=([a-z_]+)", re.ASCII)


def choose(of_service: str, link: str) -> Behaviour:
    """Return what an order does: as its link says, else as its service does. Refuses a name that is no behaviour."""
    match = _CHOICE.search(link)
    name = match[1] if match else of_service
    behaviour = BEHAVIOURS.get(name)
    if behaviour is None:
        raise Refused(Problem.FAULT, name=name)
    return behaviour
