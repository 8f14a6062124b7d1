"""An account's orders, newest first, by the page: all, those in one state, or those that a search finds.

No page counts or skips the orders before it, so the thousandth costs what the first one does.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Self
from urllib.parse import urlencode
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.http import QueryDict

from panelry.database.pool import lent
from panelry.domain import ids, orders
from panelry.domain.accounts import AccountId
from panelry.domain.orders import OrderId, OrderState
from panelry.schema.models import Order

ON_A_PAGE: Final = 25
LOOKED_AT: Final = 100_000
"""How many orders one search for a link looks at: some fifty milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What a customer sees of an order in a list: what it cost the customer, without what a coupon gave, and costs now."""

    id: UUID
    service: str
    target: str
    state: str
    quantity: int
    remains: int
    paid_micros: int
    kept_micros: int
    created_at: datetime

    @property
    def delivered(self) -> int:
        """How much of the quantity has come."""
        return self.quantity - self.remains


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which orders are asked for, and where the page begins.

    That is after a newer order (`older`), before an older one (`newer`), at the very first order (`oldest`), or at the
    top. `text` is a whole order id or request id, or a part of a link.
    """

    state: OrderState | None = None
    text: str = ""
    older: UUID | None = None
    newer: UUID | None = None
    oldest: bool = False

    @classmethod
    def read(cls, query: QueryDict) -> Self:
        """Take the question out of an address; what makes no sense there counts as nothing."""
        state = query.get("state", "")
        return cls(
            state=OrderState(state) if state in set(OrderState) else None,
            text=query.get("q", "").strip(),
            older=ids.parse(ids.ORDER, query.get("older", "")),
            newer=ids.parse(ids.ORDER, query.get("newer", "")),
            oldest="oldest" in query,
        )

    @property
    def top(self) -> Self:
        """The same question from its newest order on."""
        return replace(self, older=None, newer=None, oldest=False)

    @property
    def address(self) -> str:
        """Write the question as the query of an address."""
        said = {
            "state": self.state,
            "q": self.text,
            "older": ids.show(ids.ORDER, self.older) if self.older else None,
            "newer": ids.show(ids.ORDER, self.newer) if self.newer else None,
            "oldest": 1 if self.oldest else None,
        }
        return "?" + urlencode({name: value for name, value in said.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Lines of orders; `newer` and `older` are the ids to go on from, where there is more.

    `looked_to` is set where a search did not look at all orders: it goes on from `older`, which was placed then.
    """

    lines: list[Line]
    newer: UUID | None = None
    older: UUID | None = None
    looked_to: datetime | None = None


def latest(account_id: AccountId, *, most: int) -> list[Line]:
    """Read the newest orders; a drip-feed without its runs."""
    return _lines(_own(account_id).order_by("-id")[:most])


def page(account_id: AccountId, question: Question) -> Page:
    """Read one page of an account's orders; a drip-feed without its runs."""
    if question.text:
        return _found(account_id, question)
    own = _own(account_id)
    if question.state:
        own = own.filter(state=question.state)
    if question.oldest or question.newer is not None:
        rows = own if question.oldest else own.filter(id__gt=question.newer)
        lines = _lines(rows.order_by("id")[: ON_A_PAGE + 1])
        if question.oldest or len(lines) >= ON_A_PAGE:
            shown = lines[:ON_A_PAGE][::-1]
            return _cut(shown, more_newer=len(lines) > ON_A_PAGE, more_older=not question.oldest)
    older = own.filter(id__lt=question.older) if question.older and question.newer is None else own
    lines = _lines(older.order_by("-id")[: ON_A_PAGE + 1])
    return _cut(lines[:ON_A_PAGE], more_newer=older is not own, more_older=len(lines) > ON_A_PAGE)


def _found(account_id: AccountId, question: Question) -> Page:
    """Find orders by an id or request id, of any age, or else by a part of the link, so many at a time."""
    if not question.text.isprintable():
        return Page(lines=[])
    own = _own(account_id)
    id_ = ids.parse(ids.ORDER, question.text)
    lines = _lines(own.filter(id=id_) if id_ else own.filter(request_id=question.text))
    if id_ or lines:
        return Page(lines=[line for line in lines if question.state in {None, line.state}])
    with transaction.atomic(), lent(connection) as conn:
        matches = orders.matching(
            conn,
            account_id,
            question.text,
            state=question.state,
            before=OrderId(question.older) if question.older else None,
            most=ON_A_PAGE,
            look=LOOKED_AT,
        )
    lines = _lines(own.filter(id__in=matches.order_ids).order_by("-id"))
    return Page(lines=lines, older=matches.more_from, looked_to=matches.looked_to)


def _own(account_id: AccountId) -> QuerySet[Order]:
    return Order.objects.filter(account_id=account_id, parent=None)


def _lines(found: QuerySet[Order]) -> list[Line]:
    rows = found.annotate(
        target=Coalesce("link", KT("extras__username"), Value(""), output_field=TextField()),
        paid=F("charge_micros") - F("coupon_micros"),
        paid_back=F("refunded_micros") - F("coupon_back_micros"),
    ).values_list(
        "id", "service__name", "target", "state", "quantity", "remains", "paid", "paid_back", "created_at"
    )
    return [
        Line(
            id=id_,
            service=service,
            target=target,
            state=state,
            quantity=quantity,
            remains=remains,
            paid_micros=paid,
            kept_micros=paid - paid_back,
            created_at=created_at,
        )
        for id_, service, target, state, quantity, remains, paid, paid_back, created_at in rows
    ]


def _cut(lines: list[Line], *, more_newer: bool, more_older: bool) -> Page:
    if not lines:
        return Page(lines=[])
    return Page(
        lines=lines,
        newer=lines[0].id if more_newer else None,
        older=lines[-1].id if more_older else None,
    )
