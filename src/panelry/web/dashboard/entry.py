"""What a customer wrote into the order form, and the one domain call that it becomes."""

from dataclasses import dataclass, field, replace
from typing import Final, Self
from uuid import uuid4

from django.db import connection, transaction
from django.http import QueryDict

from panelry.database.pool import lent
from panelry.domain import orders
from panelry.domain.accounts import AccountId
from panelry.domain.catalog import ServiceId, ServiceNotFound
from panelry.domain.orders import Draft, MissingParameter, Placed, RequestIdReused, RequestIdTooLong
from panelry.domain.refusals import Refusal

LONGEST_REQUEST_ID: Final = 128
LARGEST_SERVICE: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The fields as they were typed. `request_id` travels with the form, so that sending it twice orders once."""

    service: str = ""
    link: str = ""
    quantity: str = ""
    request_id: str = field(default_factory=lambda: uuid4().hex)

    @classmethod
    def read(cls, post: QueryDict) -> Self:
        """Take the fields out of a posted form."""
        return cls(**{name: post.get(name, "").strip() for name in cls.__dataclass_fields__})

    def after(self, refusal: Refusal) -> Self:
        """Return what stands in the form beside this refusal; a spent request id is replaced."""
        spent = RequestIdReused, RequestIdTooLong
        unusable = isinstance(refusal, spent) or not self.request_id
        return replace(self, request_id=uuid4().hex) if unusable else self


def place(account_id: AccountId, entry: Entry) -> Placed | Refusal:
    """Order what the entry says; when this returns `Placed`, the order is committed."""
    try:
        draft = _draft(account_id, entry)
    except Refusal as refusal:
        return refusal
    with transaction.atomic(durable=True), lent(connection) as conn:
        [answer] = orders.place(conn, [draft])
    return answer


def _draft(account_id: AccountId, entry: Entry) -> Draft:
    if not entry.request_id:
        raise MissingParameter(parameter="request_id")
    if len(entry.request_id) > LONGEST_REQUEST_ID or not entry.request_id.isprintable():
        raise RequestIdTooLong
    if not entry.service:
        raise MissingParameter(parameter="service")
    service = orders.positive_integer(entry.service)
    if service is None or service > LARGEST_SERVICE:
        raise ServiceNotFound
    parameters = {"link": entry.link, "quantity": entry.quantity}
    return Draft(
        caller=account_id,
        service=ServiceId(service),
        request_id=entry.request_id,
        parameters={name: text for name, text in parameters.items() if text},
        actor=orders.CUSTOMER,
    )
