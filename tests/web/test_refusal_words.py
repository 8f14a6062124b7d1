"""Every no that placing an order can meet has words."""

from panelry.domain import accounts, catalog, coupons, ledger, orders
from panelry.domain.refusals import OperatorRefusal, Refusal
from panelry.web.dashboard.refusals import ANSWERS

AREAS = (accounts, catalog, coupons, ledger, orders)
NOT_BY_PLACING = {accounts.TooManyKeys, orders.CannotBeCancelled, orders.OrderNotFound}


def test_every_refusal_of_placing_has_words() -> None:
    known = {
        value
        for area in AREAS
        for value in vars(area).values()
        if isinstance(value, type) and issubclass(value, Refusal) and not issubclass(value, OperatorRefusal)
    }
    assert known - NOT_BY_PLACING == ANSWERS.keys()
