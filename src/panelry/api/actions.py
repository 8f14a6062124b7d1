"""The actions of API v2: parse, one domain call, render (api-v2.md, 4 Actions)."""

import re
from collections.abc import Mapping
from typing import Final

from panelry.api.answers import Answer, IdMissing, OrderOrOrders, TooManyIds, UnknownAction, success
from panelry.api.calls import Calls
from panelry.domain import accounts, ids, money, orders
from panelry.domain.accounts import AccountId, InvalidApiKey, KeyDigest
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import (
    Draft,
    MissingParameter,
    NotPositiveInteger,
    OrderId,
    OrderNotFound,
    RequestIdTooLong,
    Status,
)
from panelry.domain.refusals import Refusal

MAX_REQUEST_ID: Final = 128
MAX_IDS: Final = 100
_REFUSES_GZIP: Final = re.compile(rb"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")
_REPLAYED: Final = (b"idempotent-replayed", b"true")

Fields = Mapping[str, str]


async def answer(fields: Fields, calls: Calls, *, currency: str, encodings: bytes) -> Answer:
    """Answer one request; `encodings` is its `Accept-Encoding`.

    Raises the refusal that it deserves: key first, then account, action, parameters, business.
    """
    key = fields.get("key", "")
    if not accounts.is_well_formed(key):
        raise InvalidApiKey
    digest = accounts.digest(key)
    action = fields.get("action")
    if action == "add":
        return await _add(fields, calls, digest)
    account_id = await calls.identify(digest)
    match action:
        case "status":
            return await _status(fields, calls, account_id, currency)
        case "services":
            return await _services(calls, encodings.lower())
        case "balance":
            balance = await calls.balance(account_id)
            return success({"balance": money.text(balance), "currency": currency})
        case None:
            raise MissingParameter(parameter="action")
        case _:
            raise UnknownAction


async def _add(fields: Fields, calls: Calls, digest: KeyDigest) -> Answer:
    try:
        draft = _draft(fields, digest)
    except Refusal:
        await calls.identify(digest)  # a bad key is told before a bad parameter
        raise
    placed = await calls.place(draft)
    order = {"order": ids.show(ids.ORDER, placed.order_id)}
    return success(order, _REPLAYED) if placed.replayed else success(order)


def _draft(fields: Fields, digest: KeyDigest) -> Draft:
    for name in ("service", "request_id"):
        if name not in fields:
            raise MissingParameter(parameter=name)
    service = orders.positive_integer(fields["service"])
    if service is None:
        raise NotPositiveInteger(parameter="service")
    if len(fields["request_id"]) > MAX_REQUEST_ID:
        raise RequestIdTooLong
    return Draft(
        caller=digest,
        service=ServiceId(service),
        request_id=fields["request_id"],
        parameters={name: fields[name] for name in orders.PARAMETERS & fields.keys()},
    )


async def _status(fields: Fields, calls: Calls, account_id: AccountId, currency: str) -> Answer:
    wanted = _id_list(fields.get("orders", ""))
    if not wanted:
        return await _status_of_one(fields, calls, account_id, currency)
    if "order" in fields:
        raise OrderOrOrders
    if len(wanted) > MAX_IDS:
        raise TooManyIds
    known = {OrderId(id_): text for text in wanted if (id_ := ids.parse(ids.ORDER, text)) is not None}
    statuses = {s.order_id: s for s in await calls.statuses(account_id, list(known))} if known else {}
    return success({text: _shown(statuses[id_], currency) for id_, text in known.items() if id_ in statuses})


async def _status_of_one(fields: Fields, calls: Calls, account_id: AccountId, currency: str) -> Answer:
    if "order" not in fields:
        raise IdMissing(parameter="order")
    id_ = ids.parse(ids.ORDER, fields["order"])
    statuses = await calls.statuses(account_id, [OrderId(id_)]) if id_ else []
    if not statuses:
        raise OrderNotFound
    return success(_shown(statuses[0], currency))


def _id_list(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))


def _shown(status: Status, currency: str) -> dict[str, str]:
    return {
        "status": status.state,
        "charge": money.text(status.charge_micros),
        "start_count": str(status.start_count),
        "remains": str(status.remains),
        "currency": currency,
    }


async def _services(calls: Calls, encodings: bytes) -> Answer:
    listed = await calls.price_list()
    vary = (b"vary", b"accept-encoding")
    if b"gzip" in encodings and not _REFUSES_GZIP.search(encodings):
        return Answer(body=listed.zipped, headers=(vary, (b"content-encoding", b"gzip")))
    return Answer(body=listed.plain, headers=(vary,))
