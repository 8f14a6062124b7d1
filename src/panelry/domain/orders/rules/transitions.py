"""The one table of which state may follow which (money-and-lifecycle.md, 4)."""

from collections.abc import Mapping
from typing import Final

from panelry.domain.orders.values import OrderState as S

TRANSITIONS: Final[Mapping[S, frozenset[S]]] = {
    S.PENDING: frozenset({S.PROCESSING, S.CANCELLED}),
    S.PROCESSING: frozenset({S.PENDING, S.IN_PROGRESS, S.COMPLETED, S.PARTIAL, S.CANCELLED, S.REFUNDED}),
    S.IN_PROGRESS: frozenset({S.COMPLETED, S.PARTIAL, S.CANCELLED, S.REFUNDED}),
    S.COMPLETED: frozenset(),
    S.PARTIAL: frozenset(),
    S.CANCELLED: frozenset(),
    S.REFUNDED: frozenset(),
}
FINISHED: Final = frozenset({S.COMPLETED, S.PARTIAL, S.CANCELLED, S.REFUNDED})


def may_go(origin: S, to: S) -> bool:
    """Tell whether an order in one state may go to another."""
    return to in TRANSITIONS[origin]
