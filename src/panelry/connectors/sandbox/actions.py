"""One function an action: from the fields of a call to a reply."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from panelry.connectors.sandbox import behaviours, drafts, service_types
from panelry.connectors.sandbox.behaviours import Wire
from panelry.connectors.sandbox.catalog import SERVICES, Service
from panelry.connectors.sandbox.dialects import Dialect
from panelry.connectors.sandbox.faults import Faults
from panelry.connectors.sandbox.orders import Order
from panelry.connectors.sandbox.refusals import Problem, Refused
from panelry.connectors.sandbox.reports import CURRENCY, batch_id, report
from panelry.connectors.sandbox.service_types import Fields
from panelry.connectors.sandbox.shop import Shop
from panelry.domain import money

MOST_ORDERS: Final = 100
LONGEST_REQUEST_ID: Final = 128
_SERVICES: Final = {str(id_): service for id_, service in SERVICES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """All that an action needs."""

    shop: Shop
    dialect: Dialect
    faults: Faults
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered: `body` as JSON, travelling as `wire` says."""

    body: Any
    status: int = 200
    wire: Wire = Wire.PLAIN
    replayed: bool = False


Action = Callable[[Sandbox, Fields], Awaitable[Reply]]


async def answer(sandbox: Sandbox, fields: Fields) -> Reply:
    """Answer one call; everything it changed is on disk."""
    name = fields.get("action", "")
    fault = sandbox.faults.next_call(name) if name in ACTIONS and name != "add" else None
    try:
        action = _action(sandbox, fields)
        reply = _nothing_done(sandbox.dialect) if fault and fault.lost else await action(sandbox, fields)
    except Refused as refused:
        reply = refusal(sandbox.dialect, refused)
    return replace(reply, wire=fault.wire) if fault else reply


def refusal(dialect: Dialect, refused: Refused) -> Reply:
    """Return how a dialect says no."""
    return Reply(body={"error": dialect.text(refused)}, status=dialect.error_status)


def _nothing_done(dialect: Dialect) -> Reply:
    return Reply(body={"error": "Temporary error"}, status=dialect.error_status)


def _action(sandbox: Sandbox, fields: Fields) -> Action:
    if "key" not in fields or sandbox.key not in {None, fields["key"]}:
        raise Refused(Problem.KEY)
    if "action" not in fields:
        raise Refused(Problem.ACTION_MISSING)
    if fields["action"] not in ACTIONS:
        raise Refused(Problem.ACTION_UNKNOWN)
    return ACTIONS[fields["action"]]


async def _add(sandbox: Sandbox, fields: Fields) -> Reply:
    shop, dialect = sandbox.shop, sandbox.dialect
    request_id = fields.get("request_id")
    if not dialect.classic:
        known = _known_order(shop, request_id, fields)
        if known:
            await shop.log.durable()
            return Reply(body={"order": shop.shown(known.id)}, replayed=True)
    service = _service(dialect, fields)
    draft = drafts.check(service, fields)
    chosen = behaviours.choose(service.behaviour, draft.link)
    behaviour = sandbox.faults.next_behaviour() or chosen
    if behaviour.refusal:
        raise Refused(Problem.SAID, text=behaviour.refusal)
    if not behaviour.accepts:
        return replace(_nothing_done(dialect), wire=behaviour.wire)
    if behaviour.exclusive:
        shop.check_exclusive(service, draft.link)
    sent = _comparable(fields)
    order = shop.accept(service, behaviour, draft, request_id=request_id, sent=sent)
    await shop.log.durable()
    return Reply(body={"order": shop.shown(order.id)}, wire=behaviour.wire)


def _known_order(shop: Shop, request_id: str | None, fields: Fields) -> Order | None:
    if request_id is None:
        raise Refused(Problem.MISSING, name="request_id")
    if len(request_id) > LONGEST_REQUEST_ID:
        raise Refused(Problem.REQUEST_ID_LENGTH)
    order = shop.requests.get(request_id)
    if order and not _same(order, fields):
        raise Refused(Problem.REQUEST_ID_REUSED)
    return order


def _same(order: Order, fields: Fields) -> bool:
    if order.sent is not None:
        return order.sent == _comparable(fields)
    # Read back from the log, which knows the service, the link and the units.
    try:
        draft = drafts.check(order.service, fields)
    except Refused:
        return False
    bought = (fields.get("service", "").lstrip("0"), draft.link, draft.units)
    return bought == (str(order.service.id), order.draft.link, order.draft.units)


def _comparable(fields: Fields) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name in service_types.NAMES}


def _service(dialect: Dialect, fields: Fields) -> Service:
    if "service" not in fields and not dialect.classic:
        raise Refused(Problem.MISSING, name="service")
    service = _SERVICES.get(fields.get("service", "").lstrip("0"))
    if service is None:
        raise Refused(Problem.SERVICE)
    return service


async def _services(sandbox: Sandbox, _: Fields) -> Reply:
    rows = [sandbox.dialect.service_row(service) for service in SERVICES.values()]
    return Reply(body=sandbox.faults.catalogue(rows))


async def _status(sandbox: Sandbox, fields: Fields) -> Reply:
    shop, dialect = sandbox.shop, sandbox.dialect
    if _is_single(fields, "order", Problem.WHICH_ORDER):
        order = _order(shop, fields["order"])
        row = report(dialect, order, shop.progress(order))
        if row is None:
            raise Refused(Problem.ORDER)
        return Reply(body=row)
    rows: dict[str, Any] = {}
    for id_ in _ids(fields["orders"]):
        order_or_none = shop.orders.get(id_)
        if order_or_none:
            row = report(dialect, order_or_none, shop.progress(order_or_none))
            if row is not None:
                rows[batch_id(order_or_none)] = row
        elif dialect.classic:
            rows[id_] = {"error": dialect.text(Refused(Problem.ORDER))}
    # Written in PHP, an empty map is a list.
    return Reply(body=rows or ([] if dialect.classic else {}))


async def _refill(sandbox: Sandbox, fields: Fields) -> Reply:
    shop, wires = sandbox.shop, [Wire.PLAIN]

    def one(id_: str) -> str | int:
        order = _order(shop, id_)
        is_repeated = shop.was_refilled(order)
        refill = shop.refill(order)
        if not is_repeated:
            wires.append(order.behaviour.refill_wire)
        return shop.shown(refill.id)

    if _is_single(fields, "order", Problem.WHICH_ORDER):
        refill = one(fields["order"])
        await shop.log.durable()
        return Reply(body={"refill": str(refill)}, wire=wires[-1])
    rows = _rows(sandbox, "order", "refill", _ids(fields["orders"]), one)
    await shop.log.durable()
    return Reply(body=rows, wire=_worst(wires))


async def _refill_status(sandbox: Sandbox, fields: Fields) -> Reply:
    shop, dialect = sandbox.shop, sandbox.dialect

    def one(id_: str) -> str:
        refill = shop.refills.get(id_)
        if refill is None:
            raise Refused(Problem.REFILL_UNKNOWN)
        return dialect.refill_words[shop.refill_word(refill)]

    if _is_single(fields, "refill", Problem.REFILL_MISSING):
        return Reply(body={"status": one(fields["refill"])})
    return Reply(body=_rows(sandbox, "refill", "status", _ids(fields["refills"]), one))


async def _cancel(sandbox: Sandbox, fields: Fields) -> Reply:
    shop, wires = sandbox.shop, [Wire.PLAIN]

    def one(id_: str) -> str | int:
        order = _order(shop, id_)
        is_repeated = shop.was_cancelled(order)
        answer = shop.cancel(order)
        if not is_repeated:
            wires.append(order.behaviour.cancel_wire)
        return answer

    if _is_single(fields, "order", Problem.WHICH_ORDER):
        cancel = one(fields["order"])
        await shop.log.durable()
        return Reply(body={"cancel": cancel}, wire=wires[-1])
    rows = _rows(sandbox, "order", "cancel", _ids(fields["orders"]), one)
    await shop.log.durable()
    return Reply(body=rows, wire=_worst(wires))


async def _balance(sandbox: Sandbox, _: Fields) -> Reply:
    return Reply(body={"balance": money.text(sandbox.shop.balance_micros), "currency": CURRENCY})


def _worst(wires: Iterable[Wire]) -> Wire:
    """Return how a batch travels: as the first of its orders does that does not travel plainly."""
    return next((wire for wire in wires if wire is not Wire.PLAIN), Wire.PLAIN)


def _is_single(fields: Fields, name: str, missing: Problem) -> bool:
    if name in fields and name + "s" in fields:
        raise Refused(Problem.BOTH)
    if name not in fields and name + "s" not in fields:
        raise Refused(missing)
    return name in fields


def _ids(text: str) -> list[str]:
    ids = list(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
    if len(ids) > MOST_ORDERS:
        raise Refused(Problem.TOO_MANY_ORDERS)
    return ids


def _order(shop: Shop, id_: str) -> Order:
    order = shop.orders.get(id_)
    if order is None:
        raise Refused(Problem.ORDER)
    return order


def _rows(
    sandbox: Sandbox, kind: str, result: str, ids: Iterable[str], one: Callable[[str], str | int]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for id_ in ids:
        shown = sandbox.shop.shown(id_)
        try:
            rows.append({kind: shown, result: one(id_)})
        except Refused as refused:
            rows.append(sandbox.dialect.row_error(kind, shown, result, refused))
    return rows


ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "services": _services,
        "add": _add,
        "status": _status,
        "refill": _refill,
        "refill_status": _refill_status,
        "cancel": _cancel,
        "balance": _balance,
    }
)
