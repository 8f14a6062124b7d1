"""What the tests of pages share."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import unescape

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client

from given import Customer, Given, draft
from panelry.domain import ids, orders
from panelry.domain.catalog import ServiceId
from panelry.domain.orders import OrderId

Stored = Callable[[], AbstractContextManager[Given]]
Login = Callable[[Customer], Client]


def signed_in(client: Client, email: str) -> Client:
    """Sign somebody in without a password."""
    client.force_login(get_user_model().objects.get(email=email))
    return client


def text(answer: HttpResponse) -> str:
    """Return a page as it reads, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def request_id(answer: HttpResponse) -> str:
    """Return what the order form of a page carries so that it orders once."""
    [value] = re.findall(r'name="request_id" value="([^"]+)"', answer.content.decode())
    return str(value)


def many(
    given: Given, customer: Customer, service: ServiceId, count: int, **parameters: str
) -> list[OrderId]:
    """Place orders and return them, newest first."""
    drafts = [draft(customer, service, **parameters) for _ in range(count)]
    placed = orders.place(given.conn, drafts)
    return sorted((one.order_id for one in placed), reverse=True)  # type: ignore[union-attr]


def listed(answer: HttpResponse) -> list[str]:
    """Return the orders that a page lists, in its order."""
    return re.findall(r'title="(ord_[0-9A-Z]{26})"', answer.content.decode())


def shown(found: list[OrderId]) -> list[str]:
    """Write ids as pages do."""
    return [ids.show(ids.ORDER, id_) for id_ in found]


def plan_at_size(sql: str) -> str:
    """Return the plan of a query for large tables: one that reads and sorts a whole table only where it has to."""
    with transaction.atomic(), connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute("EXPLAIN " + sql)
        return "\n".join(line for (line,) in cursor.fetchall())
