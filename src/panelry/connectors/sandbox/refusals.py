"""Why the sandbox says no. The words for it belong to the dialect."""

from enum import StrEnum, auto


class Problem(StrEnum):
    """Every kind of no; each dialect has a text for each."""

    BODY = auto()
    KEY = auto()
    ACTION_MISSING = auto()
    ACTION_UNKNOWN = auto()
    SERVICE = auto()
    MISSING = auto()
    NOT_A_NUMBER = auto()
    RANGE = auto()
    TOO_SMALL = auto()
    TOO_LARGE = auto()
    TOO_MANY_LINES = auto()
    DATE = auto()
    DRIPFEED = auto()
    REQUEST_ID_LENGTH = auto()
    REQUEST_ID_REUSED = auto()
    FAULT = auto()
    WHICH_ORDER = auto()
    BOTH = auto()
    TOO_MANY_ORDERS = auto()
    ORDER = auto()
    REFILL_MISSING = auto()
    REFILL_UNKNOWN = auto()
    REFILL_UNAVAILABLE = auto()
    NOT_REFILLABLE = auto()
    REFILL_PENDING = auto()
    CANCEL = auto()
    SAID = auto()


class Refused(Exception):
    """The sandbox does not do it; `details` fill the gaps of the dialect's text."""

    def __init__(self, problem: Problem, **details: str | int) -> None:
        super().__init__(problem, details)
        self.problem = problem
        self.details = details
