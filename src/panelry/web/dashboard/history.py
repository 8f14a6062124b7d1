"""An account's orders, newest first, by the page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from django.db.models import F, QuerySet, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce
from django.http import QueryDict

from panelry.domain import ids
from panelry.domain.accounts import AccountId
from panelry.schema.models import Order

ON_A_PAGE: Final = 25


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
class Cursor:
    """Where a page begins: after a newer order's id (`older`), before an older one's (`newer`), or at the top."""

    older: UUID | None = None
    newer: UUID | None = None

    @classmethod
    def read(cls, query: QueryDict) -> Self:
        """Take the cursor out of an address; what is no order's id counts as none."""
        return cls(**{name: ids.parse(ids.ORDER, query.get(name, "")) for name in ("older", "newer")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Lines of orders; `newer` and `older` are the ids to go on from, where there is more."""

    lines: list[Line]
    newer: UUID | None = None
    older: UUID | None = None


def page(account_id: AccountId, cursor: Cursor) -> Page:
    """Read one page of an account's orders by the primary key, without counting them; a drip-feed without its runs."""
    own = Order.objects.filter(account_id=account_id, parent=None)
    if cursor.newer is not None:
        lines = _lines(own.filter(id__gt=cursor.newer).order_by("id"))
        if len(lines) >= ON_A_PAGE:
            return _cut(lines[:ON_A_PAGE][::-1], more_newer=len(lines) > ON_A_PAGE, more_older=True)
    elif cursor.older is not None:
        lines = _lines(own.filter(id__lt=cursor.older).order_by("-id"))
        return _cut(lines[:ON_A_PAGE], more_newer=True, more_older=len(lines) > ON_A_PAGE)
    lines = _lines(own.order_by("-id"))
    return _cut(lines[:ON_A_PAGE], more_newer=False, more_older=len(lines) > ON_A_PAGE)


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
        for id_, service, target, state, quantity, remains, paid, paid_back, created_at in rows[
            : ON_A_PAGE + 1
        ]
    ]


def _cut(lines: list[Line], *, more_newer: bool, more_older: bool) -> Page:
    if not lines:
        return Page(lines=[])
    return Page(
        lines=lines,
        newer=lines[0].id if more_newer else None,
        older=lines[-1].id if more_older else None,
    )
