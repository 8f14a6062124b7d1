"""API v2 as data: what the API goes by, and what its documentation is made of. Pure, without HTTP or Django."""

from functools import cache
from pathlib import Path

from panelry.contract.actions import ACTIONS, MAX_IDS, MAX_REQUEST_ID, Action, Kind, Needed, Parameter
from panelry.contract.refusals import (
    FAULTS,
    GENERAL,
    NOT_FOR_MACHINES,
    TEXTS,
    BodyTooLarge,
    BodyTooSlow,
    IdMissing,
    MalformedBody,
    MethodNotAllowed,
    OneOrMany,
    RateLimited,
    TooManyIds,
    UnknownAction,
)

__all__ = [
    "ACTIONS",
    "FAULTS",
    "GENERAL",
    "MAX_IDS",
    "MAX_REQUEST_ID",
    "NOT_FOR_MACHINES",
    "TEXTS",
    "Action",
    "BodyTooLarge",
    "BodyTooSlow",
    "IdMissing",
    "Kind",
    "MalformedBody",
    "MethodNotAllowed",
    "Needed",
    "OneOrMany",
    "Parameter",
    "RateLimited",
    "TooManyIds",
    "UnknownAction",
    "openapi",
]


@cache
def openapi() -> str:
    """Return the API as OpenAPI describes it; tests hold every answer against it."""
    return (Path(__file__).parent / "openapi.yaml").read_text()
