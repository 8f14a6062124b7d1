"""The actions of API v2: parse, one domain call, render (api-v2.md, 4 Actions)."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final
from uuid import UUID

from panelry.api.answers import Answer, success, words
from panelry.api.calls import Calls, PriceList
from panelry.api.limits import Visit
from panelry.api.webhooks import Hooks
from panelry.contract import MAX_IDS, MAX_REQUEST_ID, IdMissing, OneOrMany, TooManyIds, UnknownAction
from panelry.domain import accounts, ids, money, orders, webhooks
from panelry.domain.accounts import (
    AccountId,
    AccountState,
    AccountSuspended,
    Caller,
    InvalidApiKey,
    KeyDigest,
)
from panelry.domain.catalog import ServiceId
from panelry.domain.money import Micros
from panelry.domain.orders import (
    Draft,
    MissingParameter,
    NotPositiveInteger,
    OrderId,
    OrderNotFound,
    RequestIdTooLong,
    Status,
)
from panelry.domain.refills import RefillId, RefillNotFound
from panelry.domain.refusals import Refusal

_REFUSES_GZIP: Final = re.compile(rb"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")
_REPLAYED: Final = (b"idempotent-replayed", b"true")

Fields = Mapping[str, str]


async def answer(
    fields: Fields, calls: Calls, hooks: Hooks, visit: Visit, *, currency: str, encodings: bytes
) -> Answer:
    """Answer one request; `encodings` is its `Accept-Encoding`.

    Raises the refusal that it deserves: key first, then limits, account, action, parameters, business.
    """
    key = fields.get("key", "")
    if not accounts.is_well_formed(key):
        raise InvalidApiKey
    digest = accounts.digest(key)
    try:
        match fields.get("action"):
            case "add":
                return await _add(fields, calls, visit, digest)
            case "status":
                return await _status(fields, calls, visit, digest, currency=currency)
            case "services":
                await _count(calls, visit, digest)
                return _services(await calls.price_list(digest), encodings.lower())
        caller = await calls.identify(digest)
        if fields.get("action") == "balance" and caller.state is AccountState.ACTIVE:
            known = calls.known_balance(caller.account_id)
            if known is not None:
                await visit.look(digest, caller)  # it costs nothing
                return _balance(known, currency)
        await visit.count(digest, caller)
        _admit(caller)
        action = fields.get("action", "")
        if action.startswith("webhook."):
            return await hooks.answer(action, fields, caller)
        return await _act(fields, calls, caller, currency=currency)
    except InvalidApiKey:
        visit.forget(digest)
        raise


async def _act(fields: Fields, calls: Calls, caller: Caller, *, currency: str) -> Answer:
    account_id = caller.account_id
    match fields.get("action"):
        case "refill":
            return await _each(fields, "refill", ids.REFILL, partial(calls.refill, account_id))
        case "refill_status":
            return await _refill_status(fields, calls, account_id)
        case "cancel":
            return await _each(fields, "cancel", ids.ORDER, partial(calls.cancel, account_id))
        case "balance":
            return _balance(await calls.balance(account_id), currency)
        case None:
            raise MissingParameter(parameter="action")
        case _:
            raise UnknownAction


def _admit(caller: Caller) -> None:
    if caller.state is not AccountState.ACTIVE:
        raise AccountSuspended


async def _count(calls: Calls, visit: Visit, digest: KeyDigest) -> None:
    """Count the request of a call that looks the key up itself; nothing else asks for it while its limits are known."""
    if not await visit.count_known(digest):
        await visit.count(digest, await calls.identify(digest))


async def _add(fields: Fields, calls: Calls, visit: Visit, digest: KeyDigest) -> Answer:
    await _count(calls, visit, digest)
    try:
        draft = _draft(fields, digest)
    except Refusal:
        _admit(await calls.identify(digest))  # a bad key is told before a bad parameter
        raise
    placed = await calls.place(draft)
    order = {"order": ids.show(ids.ORDER, placed.order_id)}
    return success(order, _REPLAYED) if placed.replayed else success(order)


def _balance(balance: Micros, currency: str) -> Answer:
    return success({"balance": money.text(balance), "currency": currency})


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


async def _status(fields: Fields, calls: Calls, visit: Visit, digest: KeyDigest, *, currency: str) -> Answer:
    await _count(calls, visit, digest)
    try:
        texts, is_list = _asked(fields, "order")
    except Refusal:
        _admit(await calls.identify(digest))  # a bad key is told before a bad parameter
        raise
    known = [(text, OrderId(id_)) for text in texts if (id_ := ids.parse(ids.ORDER, text)) is not None]
    statuses = await calls.statuses(digest, [order_id for _, order_id in known])
    found = {
        text: _shown(status, currency)
        for (text, _), status in zip(known, statuses, strict=True)
        if status is not None
    }
    if is_list:
        return success(found)
    if not found:
        raise OrderNotFound
    return success(found[texts[0]])


async def _each(
    fields: Fields,
    result: str,
    prefix: str,
    act: Callable[[Sequence[OrderId]], Awaitable[Sequence[UUID | Refusal]]],
) -> Answer:
    """Do something with one order or with each of a list; what it gives is shown under its name, with its prefix."""
    texts, is_list = _asked(fields, "order")
    known = _known(ids.ORDER, texts)
    done = await act(list(map(OrderId, known))) if known else []
    answers = dict(zip(known.values(), done, strict=True))
    rows = [(text, answers.get(text) or OrderNotFound()) for text in texts]
    shown = {text: a if isinstance(a, Refusal) else ids.show(prefix, a) for text, a in rows}
    return _one_or_rows(shown, "order", result, is_list=is_list)


async def _refill_status(fields: Fields, calls: Calls, account_id: AccountId) -> Answer:
    texts, is_list = _asked(fields, "refill")
    known = _known(ids.REFILL, texts)
    states = await calls.refill_states(account_id, list(map(RefillId, known))) if known else {}
    found = {known[id_]: state for id_, state in states.items()}
    shown = {text: found.get(text) or RefillNotFound() for text in texts}
    return _one_or_rows(shown, "refill", "status", is_list=is_list)


def _asked(fields: Fields, name: str) -> tuple[list[str], bool]:
    """Return the ids that a call is about as they were sent, and whether they came as a list. Raises why not."""
    listed = _id_list(fields[f"{name}s"]) if f"{name}s" in fields else []
    if not listed:
        if name not in fields:
            raise IdMissing(parameter=name)
        return [fields[name]], False
    if name in fields:
        raise OneOrMany(parameter=name)
    if len(listed) > MAX_IDS:
        raise TooManyIds
    return listed, True


def _id_list(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))


def _known(prefix: str, texts: Iterable[str]) -> dict[UUID, str]:
    """Read ids; what is none is left out."""
    return {id_: text for text in texts if (id_ := ids.parse(prefix, text)) is not None}


def _one_or_rows(shown: Mapping[str, str | Refusal], name: str, result: str, *, is_list: bool) -> Answer:
    """Answer with a row for each id, or with the one result. Raises the one refusal."""
    if is_list:
        rows = [(text, *_column(result, told)) for text, told in shown.items()]
        return success([{name: text, column: value} for text, column, value in rows])
    [told] = shown.values()
    if isinstance(told, Refusal):
        raise told
    return success({result: told})


def _column(result: str, told: str | Refusal) -> tuple[str, str]:
    return ("error", words(told)) if isinstance(told, Refusal) else (result, told)


def _shown(status: Status, currency: str) -> dict[str, str]:
    stands: dict[str, str | int | None] = {
        "to": status.state,
        "charge_micros": status.charge_micros,
        "start_count": status.start_count,
        "remains": status.remains,
        "runs": status.runs,
        "runs_done": status.runs_done,
        "posts": status.posts,
        "posts_done": status.posts_done,
    }
    return webhooks.status_fields(stands, currency=currency)


def _services(listed: PriceList, encodings: bytes) -> Answer:
    vary = (b"vary", b"accept-encoding")
    if b"gzip" in encodings and not _REFUSES_GZIP.search(encodings):
        return Answer(body=listed.zipped, headers=(vary, (b"content-encoding", b"gzip")))
    return Answer(body=listed.plain, headers=(vary,))
