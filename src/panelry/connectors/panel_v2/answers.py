"""What a provider's answers say, as pure functions of their bytes: no answer makes one of them raise."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from panelry.connectors.http import Answer
from panelry.connectors.panel_v2 import complaints, fields, words
from panelry.domain import money
from panelry.domain.providers import (
    Accepted,
    Delay,
    Outcome,
    Postponed,
    Rejected,
    Rejection,
    Unknown,
    UpstreamBalance,
    UpstreamService,
)

_LONGEST_INTEGER: Final = 64
_BARE_ID: Final = re.compile(
    r"[0-9]{4,40}|ord_[0-9A-Za-z]{26}", re.ASCII
)  # a shorter number may be an error's code


def document(body: bytes) -> Any:
    """Return the JSON in a body, after a BOM or white space, whatever it claims to be; `None` where there is none.

    Numbers are exact: `int`, or `Decimal`, or `None` for exponents, NaN and infinities.
    """
    try:
        return json.loads(
            body.decode(errors="replace").lstrip("\ufeff \t\r\n"),
            parse_float=money.exact_decimal,
            parse_int=_integer,
            parse_constant=_nothing,
        )
    except (ValueError, RecursionError):
        return None


def decisive(status: int) -> bool:
    """Tell whether an HTTP status comes from somebody who may have looked at the request and decided."""
    return 200 <= status < 300 or 400 <= status < 500


def outcome(answer: Answer, meaning: Callable[[str], Rejection | Delay | None]) -> Outcome:
    """Say what became of an `add`. What is neither a clear yes nor a clear, known no is `Unknown`."""
    unknown = Unknown(text=f"HTTP {answer.status}: {answer.body.decode(errors='replace')}")
    if not decisive(answer.status):
        return unknown
    said = _as_map(document(answer.body))
    upstream_id = fields.identifier(said.get("order")) or fields.identifier(said.get("order_id"))
    error = complaints.text(said)
    if upstream_id is not None:
        sure = error is None and answer.status < 300
        return Accepted(upstream_id=upstream_id, charge=fields.cost(said.get("charge"))) if sure else unknown
    if answer.status == 429:
        return Postponed(reason=Delay.RATE, text=error or "HTTP 429")
    match meaning(error) if error else None:
        case Rejection() as reason:
            return Rejected(reason=reason, text=error or "")
        case Delay() as reason:
            return Postponed(reason=reason, text=error or "")
        case None:
            return unknown


def services(said: Iterable[Any]) -> list[UpstreamService]:
    """Read a catalogue; rows without a usable id or rate are dropped, of two with the same id the second."""
    found: dict[str, UpstreamService] = {}
    for row in said:
        service = _service(row) if isinstance(row, dict) else None
        if service is not None:
            found.setdefault(service.service, service)
    return list(found.values())


def balance(said: Any) -> UpstreamBalance | None:
    """Read a balance; `None` where there is none."""
    amount = fields.amount(said.get("balance")) if isinstance(said, dict) else None
    return None if amount is None else UpstreamBalance(amount=amount, currency=_currency(said))


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


def _nothing(_constant: str) -> None:
    return None


def _as_map(said: Any) -> dict[str, Any]:
    if isinstance(said, dict):
        return said
    bare = fields.written(said)
    return {"order": bare} if _BARE_ID.fullmatch(bare) else {"error": said if isinstance(said, str) else None}


def _service(row: dict[str, Any]) -> UpstreamService | None:
    service, rate = fields.identifier(row.get("service")), fields.cost(row.get("rate"))
    if service is None or rate is None:
        return None
    return UpstreamService(
        service=service,
        name=fields.text(row.get("name"), 500),
        type=words.service_type(fields.text(row.get("type"), 100)),
        category=fields.text(row.get("category"), 500),
        rate=rate,
        minimum=fields.limit(row.get("min")),
        maximum=fields.limit(row.get("max")),
        dripfeed=fields.flag(row.get("dripfeed")),
        refill=fields.flag(row.get("refill")),
        cancel=fields.flag(row.get("cancel")),
        description=fields.text(row.get("description") or row.get("desc"), 65_536),
        average_time=fields.text(row.get("average_time"), 200),
    )


def _currency(said: dict[str, Any]) -> str:
    currency = fields.written(said.get("currency")).upper()
    return currency if currency.isascii() and currency.isalnum() and len(currency) <= 10 else ""
