"""What callers of the API ask for under load, and what the right answer is."""

import gzip
import re
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from panelry.domain import ids
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import OrderId
from panelry.ops.bench.ground import Customer
from panelry.ops.bench.wrk import FORM, Requests
from panelry.ops.session import CommandFailed

Orders = Mapping[Customer, Sequence[OrderId]]
QUANTITY: Final = 100
ZIPPED: Final = "Accept-Encoding: gzip"
_AFTER_PREFIX: Final = re.compile(rb"(?<=ord_)[0-9A-Z]{26}")


def add(customers: Sequence[Customer], services: Sequence[ServiceId]) -> Requests:
    """Place orders, the next one always for another account and another service."""
    bodies = [
        _body(
            customer,
            "add",
            service=services[turn % len(services)],
            link=f"https://example.com/{turn}",
            quantity=QUANTITY,
        )
        + "&request_id=@"
        for turn, customer in enumerate(customers)
    ]
    return Requests(bodies=bodies, right=b'{"order":"ord_"}')


def status(url: str, placed: Orders) -> Requests:
    """Ask for one order after the other, the next one always of another account."""
    turns = zip(
        *([(customer, order) for order in of_one] for customer, of_one in placed.items()), strict=True
    )
    bodies = [
        _body(customer, "status", order=ids.show(ids.ORDER, order))
        for turn in turns
        for customer, order in turn
    ]
    answer = _ask(url, bodies[0])
    _expect(msgspec.json.decode(answer)["remains"] == str(QUANTITY), answer)
    return Requests(bodies=bodies, right=answer)


def statuses(url: str, placed: Orders) -> Requests:
    """Ask for all orders of an account at once."""
    bodies = [
        _body(customer, "status", orders=",".join(ids.show(ids.ORDER, order) for order in of_one))
        for customer, of_one in placed.items()
    ]
    answer = _ask(url, bodies[0])
    found = msgspec.json.decode(answer)
    _expect(len(found) == len(next(iter(placed.values()))), answer)
    _expect(all(one["remains"] == str(QUANTITY) for one in found.values()), answer)
    return Requests(bodies=bodies, right=_AFTER_PREFIX.sub(b"", answer))


def services(url: str, customers: Sequence[Customer], count: int) -> Requests:
    """Ask for the price list, compressed."""
    bodies = [_body(customer, "services") for customer in customers]
    answer = _ask(url, bodies[0], ZIPPED)
    _expect(len(msgspec.json.decode(gzip.decompress(answer))) == count, answer)
    return Requests(bodies=bodies, right=answer, headers=(FORM, ZIPPED))


def _body(customer: Customer, action: str, **fields: Any) -> str:
    return urlencode({"key": customer.key, "action": action, **fields})


def _ask(url: str, body: str, *headers: str) -> bytes:
    """Ask once, before anything is measured."""
    named = dict(header.split(": ") for header in (FORM, *headers))
    request = urllib.request.Request(url, data=body.encode(), headers=named)  # noqa: S310 (it is our own server)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (likewise)
        said: bytes = answer.read()
    return said


def _expect(is_so: bool, answer: bytes) -> None:  # noqa: FBT001 (it reads as a sentence)
    if not is_so:
        raise CommandFailed(f"this is no right answer: {answer[:200].decode(errors='replace')}")
